#include "postrider/store/schema.hpp"

#include <array>

#include "postrider/store/inbox_migration.hpp"

namespace postrider {
namespace {

constexpr std::array<std::string_view, 11> step_1 = {
    "CREATE TABLE streams (stream_key {row_key}, name TEXT NOT NULL UNIQUE, format TEXT NOT NULL,"
    " created_at BIGINT NOT NULL, sorted_through BIGINT NOT NULL DEFAULT 0,"
    " dropped_through BIGINT NOT NULL DEFAULT 0)",

    "CREATE TABLE blocks (stream_key BIGINT NOT NULL, first_id BIGINT NOT NULL,"
    " last_id BIGINT NOT NULL, fact_count BIGINT NOT NULL, appended_at BIGINT NOT NULL,"
    " codec TEXT NOT NULL, raw_bytes BIGINT NOT NULL, data {blob} NOT NULL)",
    "CREATE UNIQUE INDEX blocks_by_position ON blocks (stream_key, last_id)",

    "CREATE TABLE idempotency_keys (stream_key BIGINT NOT NULL, key TEXT NOT NULL,"
    " body_digest {blob} NOT NULL, first_id BIGINT NOT NULL, last_id BIGINT NOT NULL,"
    " fact_count BIGINT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (stream_key, key))",
    "CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at)",

    "CREATE TABLE services (service_key {row_key}, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL,"
    " registration TEXT NOT NULL, transaction_prefix TEXT NOT NULL, created_at BIGINT NOT NULL)",

    "CREATE TABLE delivery_states (service_key BIGINT PRIMARY KEY,"
    " status TEXT NOT NULL DEFAULT 'up', acknowledged_seq BIGINT NOT NULL DEFAULT 0,"
    " transaction_number BIGINT NOT NULL DEFAULT 0, frozen_through_seq BIGINT,"
    " attempts BIGINT NOT NULL DEFAULT 0, retry_interval_ms BIGINT NOT NULL DEFAULT 0,"
    " next_attempt_at BIGINT, last_error TEXT NOT NULL DEFAULT '') {without_rowid}",

    "CREATE TABLE inbox_blocks (service_key BIGINT NOT NULL, last_seq BIGINT NOT NULL,"
    " first_seq BIGINT NOT NULL, stream_key BIGINT NOT NULL, first_id BIGINT NOT NULL,"
    " appended_at BIGINT NOT NULL, positions {blob} NOT NULL,"
    " PRIMARY KEY (service_key, last_seq)) {without_rowid}",
    "CREATE INDEX inbox_blocks_by_position ON inbox_blocks (stream_key, first_id)",

    "CREATE TABLE members (stream_key BIGINT NOT NULL, room_id TEXT NOT NULL,"
    " user_id TEXT NOT NULL, PRIMARY KEY (stream_key, room_id, user_id)) {without_rowid}",

    "CREATE TABLE room_aliases (stream_key BIGINT NOT NULL, room_id TEXT NOT NULL,"
    " source TEXT NOT NULL, alias TEXT NOT NULL,"
    " PRIMARY KEY (stream_key, room_id, source, alias)) {without_rowid}",
};

constexpr std::array<std::string_view, 6> step_2 = {
    "ALTER TABLE blocks ADD COLUMN instance_key BIGINT NOT NULL DEFAULT 0",

    // One row. Whoever begins a session holds it until the commit, so that keys rise as they become
    // visible.
    "CREATE TABLE newest_session (one BIGINT PRIMARY KEY, session_key BIGINT NOT NULL,"
    " fleet TEXT NOT NULL DEFAULT '')",
    "INSERT INTO newest_session (one, session_key) VALUES (1, 0)",

    "CREATE TABLE sessions (instance_key {row_key}, instance_name TEXT NOT NULL UNIQUE,"
    " session_key BIGINT NOT NULL, beats BIGINT NOT NULL DEFAULT 0, started_at BIGINT NOT NULL,"
    " ended_at BIGINT)",

    "CREATE TABLE writer_positions (stream_key BIGINT NOT NULL, instance_key BIGINT NOT NULL,"
    " position BIGINT NOT NULL, PRIMARY KEY (stream_key, instance_key)) {without_rowid}",

    "CREATE TABLE leases (name TEXT PRIMARY KEY, session_key BIGINT NOT NULL) {without_rowid}",
};

constexpr std::array<std::string_view, 1> step_3 = {
    // The last batch of rows that came from an outbox into a stream.
    "CREATE TABLE outbox_batches (outbox TEXT NOT NULL, stream_key BIGINT NOT NULL,"
    " number BIGINT NOT NULL, last_id BIGINT NOT NULL, row_ids TEXT NOT NULL,"
    " PRIMARY KEY (outbox, stream_key))"
    " {without_rowid}",
};

constexpr std::array<std::string_view, 3> step_4 = {
    "ALTER TABLE services RENAME COLUMN registration TO document",
    // NULL: registered before there were kinds.
    "ALTER TABLE services ADD COLUMN kind TEXT",

    "ALTER TABLE streams ADD COLUMN facts_unwanted BIGINT NOT NULL DEFAULT 0",
};

// An inbox belongs to a service and a stream, and decisions are a log.
constexpr std::array<std::string_view, 6> step_5 = {
    "DROP INDEX inbox_blocks_by_position",
    "ALTER TABLE inbox_blocks RENAME TO old_inbox_blocks",

    "CREATE TABLE inbox_blocks (service_key BIGINT NOT NULL, stream_key BIGINT NOT NULL,"
    " last_id BIGINT NOT NULL, first_id BIGINT NOT NULL, fact_count BIGINT NOT NULL,"
    " appended_at BIGINT NOT NULL, positions {blob} NOT NULL,"
    " PRIMARY KEY (service_key, stream_key, last_id)) {without_rowid}",

    "CREATE TABLE decisions (stream_key BIGINT NOT NULL, through_id BIGINT NOT NULL,"
    " after_id BIGINT NOT NULL, entry_count BIGINT NOT NULL, appended_at BIGINT NOT NULL,"
    " data {blob} NOT NULL,"
    " PRIMARY KEY (stream_key, through_id)) {without_rowid}",
    "ALTER TABLE streams ADD COLUMN compacted_through BIGINT NOT NULL DEFAULT 0",

    // `exceptions`: what the other columns do not say, in lists of their kinds (cursors.cpp).
    "CREATE TABLE delivery_cursors (service_key BIGINT NOT NULL, stream_key BIGINT NOT NULL,"
    " acknowledged_id BIGINT NOT NULL, transaction_number BIGINT NOT NULL,"
    " frozen_through_id BIGINT, delivered BIGINT NOT NULL, exceptions {blob},"
    " PRIMARY KEY (service_key, stream_key)) {without_rowid}",
};
constexpr std::array<std::string_view, 6> step_5_end = {
    "UPDATE streams SET compacted_through = sorted_through",
    "DROP TABLE old_inbox_blocks",
    "CREATE INDEX inbox_blocks_by_position ON inbox_blocks (stream_key, first_id)",
    "ALTER TABLE delivery_states DROP COLUMN acknowledged_seq",
    "ALTER TABLE delivery_states DROP COLUMN transaction_number",
    "ALTER TABLE delivery_states DROP COLUMN frozen_through_seq",
};

// Compaction reads the cursors of one stream; the streams of a service are few.
constexpr std::array<std::string_view, 5> step_6 = {
    "ALTER TABLE delivery_cursors RENAME TO old_delivery_cursors",
    "CREATE TABLE delivery_cursors (service_key BIGINT NOT NULL, stream_key BIGINT NOT NULL,"
    " acknowledged_id BIGINT NOT NULL, transaction_number BIGINT NOT NULL,"
    " frozen_through_id BIGINT, delivered BIGINT NOT NULL, exceptions {blob},"
    " PRIMARY KEY (stream_key, service_key)) {without_rowid}",
    "INSERT INTO delivery_cursors SELECT * FROM old_delivery_cursors",
    "DROP TABLE old_delivery_cursors",
    "CREATE INDEX delivery_cursors_by_service ON delivery_cursors (service_key)",
};

// What cannot be read or decided is set aside, so that the stream goes on. And why a service is
// paused, which was told from the words of its last error before.
constexpr std::array<std::string_view, 4> step_7 = {
    // NULL: stored before there were checksums.
    "ALTER TABLE blocks ADD COLUMN checksum BIGINT",
    "CREATE TABLE quarantine (stream_key BIGINT NOT NULL, first_id BIGINT NOT NULL,"
    " last_id BIGINT NOT NULL, cause TEXT NOT NULL, found_at BIGINT NOT NULL,"
    " PRIMARY KEY (stream_key, first_id)) {without_rowid}",
    // The sum of `PauseCause`s.
    "ALTER TABLE delivery_states ADD COLUMN paused_by BIGINT NOT NULL DEFAULT 0",
    "UPDATE delivery_states SET paused_by = CASE"
    " WHEN last_error LIKE 'no longer declared in the configuration%' THEN 2"
    " WHEN last_error LIKE '%; delivery rests until the service is resumed' THEN 4"
    " ELSE 1 END WHERE status = 'paused'",
};

constexpr std::array<std::string_view, 1> step_8 = {
    "ALTER TABLE newest_session ADD COLUMN session_interval_ms BIGINT NOT NULL DEFAULT 0",
};

// Which services the configurations of several processes declare.
constexpr std::array<std::string_view, 3> step_9 = {
    // 0: of a process from before there were declarations.
    "ALTER TABLE sessions ADD COLUMN configuration BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE sessions ADD COLUMN configuration_digest BIGINT NOT NULL DEFAULT 0",
    "CREATE TABLE declarations (configuration BIGINT NOT NULL, service_id TEXT NOT NULL,"
    " digest BIGINT NOT NULL, PRIMARY KEY (configuration, service_id)) {without_rowid}",
};

constexpr std::array<MigrationStep, 9> steps = {MigrationStep{step_1},
                                                MigrationStep{step_2},
                                                MigrationStep{step_3},
                                                MigrationStep{step_4},
                                                MigrationStep{step_5, split_inboxes, step_5_end},
                                                MigrationStep{step_6},
                                                MigrationStep{step_7},
                                                MigrationStep{step_8},
                                                MigrationStep{step_9}};

}  // namespace

std::span<const MigrationStep> migration_steps() {
  return steps;
}

}  // namespace postrider
