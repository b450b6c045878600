#include "postrider/outbox/outbox_table.hpp"

#include <fmt/ranges.h>

namespace postrider {
namespace {

constexpr Statement is_installed_sql{"SELECT count(to_regclass('postrider.outbox_identity'))"};
constexpr Statement identity_sql{"SELECT identity::text FROM postrider.outbox_identity"};
constexpr Statement read_sql{
    "SELECT id, stream, CASE WHEN bytes <= $3 THEN payload::text END, bytes FROM"
    " (SELECT id, stream, payload, bytes, sum(bytes) OVER (ORDER BY id) - bytes AS bytes_before "
    "FROM"
    "  (SELECT id, stream, payload, bytes FROM postrider.outbox ORDER BY id LIMIT $1) AS oldest)"
    " AS counted WHERE bytes_before < $2 ORDER BY id"};
// Writes, and so the transaction's end waits until all that it has read is on disk.
constexpr Statement write_sql{"SELECT 1 FROM postrider.outbox_identity FOR UPDATE"};
constexpr Statement delete_sql{"DELETE FROM postrider.outbox WHERE id = ANY($1::text::bigint[])"};
constexpr Statement refuse_sql{
    "WITH taken AS (DELETE FROM postrider.outbox WHERE id = ANY($1::text::bigint[])"
    " RETURNING id, stream, key, payload, appended_at)"
    " INSERT INTO postrider.outbox_refused (id, stream, key, payload, appended_at, reason)"
    " SELECT id, stream, key, payload, appended_at, $2 FROM taken"};
constexpr Statement retry_sql{
    "WITH taken AS (DELETE FROM postrider.outbox_refused"
    " RETURNING id, stream, key, payload, appended_at)"
    " INSERT INTO postrider.outbox (stream, key, payload, appended_at)"
    " SELECT stream, key, payload, appended_at FROM taken ORDER BY id"};
constexpr Statement waiting_sql{
    "SELECT count(*), coalesce((extract(epoch FROM clock_timestamp() - min(appended_at)) * 1000)"
    "::bigint, 0) FROM postrider.outbox"};
constexpr Statement refused_count_sql{"SELECT count(*) FROM postrider.outbox_refused"};
constexpr Statement refused_sql{
    "SELECT id, stream, reason FROM postrider.outbox_refused ORDER BY id LIMIT 10"};

// No name of a column that is an argument's too stands alone in the function.
constexpr std::string_view definition = R"(CREATE SCHEMA IF NOT EXISTS postrider;

CREATE TABLE IF NOT EXISTS postrider.outbox (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream TEXT NOT NULL,
  key TEXT,
  payload JSONB NOT NULL CHECK (jsonb_typeof(payload) = 'object'),
  appended_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  bytes BIGINT GENERATED ALWAYS AS (octet_length(payload::text)) STORED CHECK (bytes <= 16777216)
);

CREATE TABLE IF NOT EXISTS postrider.outbox_refused (
  refusal BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id BIGINT NOT NULL,
  stream TEXT NOT NULL,
  key TEXT,
  payload JSONB NOT NULL,
  appended_at TIMESTAMPTZ NOT NULL,
  reason TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS postrider.outbox_identity (
  one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
  identity UUID NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO postrider.outbox_identity DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION postrider.append(stream TEXT, payload JSONB, key TEXT DEFAULT NULL)
RETURNS BIGINT LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  row_id BIGINT;
BEGIN
  IF append.stream IS NULL OR append.stream !~ '^[a-z0-9][a-z0-9_.-]{0,62}$' THEN
    RAISE EXCEPTION 'postrider.append: "%" is not a stream name: 1 to 63 of a-z 0-9 _ . -'
      ' beginning with a letter or digit', append.stream USING ERRCODE = '22023';
  END IF;
  IF jsonb_typeof(append.payload) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'postrider.append: the payload is % and must be a JSON object',
      coalesce(jsonb_typeof(append.payload), 'NULL') USING ERRCODE = '22023';
  END IF;
  IF append.key IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(1886352244,
      ('x' || left(md5(append.stream || '/' || append.key), 8))::bit(32)::int);
  END IF;
  INSERT INTO postrider.outbox (stream, key, payload)
    VALUES (append.stream, append.key, append.payload) RETURNING id INTO row_id;
  RETURN row_id;
END $$;

COMMENT ON FUNCTION postrider.append(TEXT, JSONB, TEXT) IS
  'Appends a fact to a stream of Postrider when this transaction is committed. Facts of a stream'
  ' with the same key arrive in the order of their commits.';
)";

}  // namespace

const std::string& outbox_definition() {
  static const std::string text(definition);
  return text;
}

Result<std::string> read_outbox_identity(SqlConnection& connection) {
  bool is_installed = false;
  TRY_VOID(connection.execute(is_installed_sql, {}, [&is_installed](const SqlRow& row) {
    is_installed = row.integer(0) > 0;
  }));
  if (!is_installed) {
    return fail(Code::storage_incompatible,
                "the database has no outbox; make one with `postrider outbox install URL`");
  }
  std::string identity;
  TRY_VOID(connection.execute(identity_sql, {},
                              [&identity](const SqlRow& row) { identity = row.text(0); }));
  return identity;
}

Result<std::vector<OutboxRow>> read_outbox_rows(SqlConnection& connection,
                                                const OutboxLimits& limits) {
  std::vector<OutboxRow> rows;
  const auto add = [&rows](const SqlRow& row) {
    OutboxRow& added = rows.emplace_back();
    added.id = row.integer(0);
    added.stream = row.text(1);
    if (!row.is_null(2)) added.payload = row.text(2);
    added.payload_bytes = row.integer(3);
  };
  TRY_VOID(connection.execute(
      read_sql,
      {static_cast<std::int64_t>(limits.rows_max), static_cast<std::int64_t>(limits.bytes_max),
       static_cast<std::int64_t>(limits.fact_bytes_max)},
      add));
  if (!rows.empty()) TRY_VOID(connection.execute(write_sql));
  return rows;
}

std::string row_id_list(std::span<const std::int64_t> ids) {
  return fmt::format("{{{}}}", fmt::join(ids, ","));
}

Result<void> delete_outbox_rows(SqlConnection& connection, std::string_view row_ids) {
  TRY_VOID(connection.execute(delete_sql, {row_ids}));
  return {};
}

Result<void> refuse_outbox_rows(SqlConnection& connection, std::string_view row_ids,
                                std::string_view reason) {
  TRY_VOID(connection.execute(refuse_sql, {row_ids, reason}));
  return {};
}

Result<std::int64_t> retry_refused_rows(SqlConnection& connection) {
  return connection.execute(retry_sql);
}

Result<OutboxStatus> read_outbox_status(SqlConnection& connection) {
  OutboxStatus status;
  TRY_VOID(connection.execute(waiting_sql, {}, [&status](const SqlRow& row) {
    status.waiting = row.integer(0);
    status.oldest_ms = row.integer(1);
  }));
  TRY_VOID(connection.execute(refused_count_sql, {},
                              [&status](const SqlRow& row) { status.refused = row.integer(0); }));
  TRY_VOID(connection.execute(refused_sql, {}, [&status](const SqlRow& row) {
    status.refused_rows.push_back(
        {row.integer(0), std::string(row.text(1)), std::string(row.text(2))});
  }));
  return status;
}

}  // namespace postrider
