#include "postrider/store/inbox_migration.hpp"

#include "postrider/sort/positions.hpp"
#include "postrider/store/cursors.hpp"
#include "postrider/store/streams.hpp"
#include "postrider/store/testing/old_schema.hpp"
#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

constexpr std::int64_t version_before = 4;

constexpr Statement insert_old_block_sql{
    "INSERT INTO inbox_blocks (service_key, last_seq, first_seq, stream_key, first_id, appended_at,"
    " positions) VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Statement set_state_sql{
    "UPDATE delivery_states SET acknowledged_seq = $2, transaction_number = $3,"
    " frozen_through_seq = $4, status = 'down', attempts = 2, last_error = 'refused'"
    " WHERE service_key = $1"};
constexpr Statement mend_sql{
    "UPDATE inbox_blocks SET positions = $2 WHERE service_key = $1 AND last_seq = 5"};
constexpr Statement count_old_blocks_sql{
    "SELECT COUNT(*) FROM inbox_blocks b JOIN delivery_states d ON d.service_key = b.service_key"
    " WHERE b.last_seq > d.acknowledged_seq"};
constexpr Statement read_version_sql{"SELECT MAX(version) FROM schema_version"};

/// How a service did before the migration.
struct OldState {
  std::int64_t acknowledged_seq = 0;
  std::int64_t transaction = 0;
  std::optional<std::int64_t> frozen_through_seq = std::nullopt;
};

class InboxMigration : public StoreTest {
 protected:
  void SetUp() override { make_old_database(); }
  void make_old_database() {
    make_old_schema(*connection, database.dialect(), version_before);
    orders = put_stream(*connection, "orders", "plain", wall_time(1)).value().key;
    users = put_stream(*connection, "users", "plain", wall_time(1)).value().key;
  }

  ServiceKey add_old_service(const std::string& id, const OldState& state) {
    const ServiceKey service = add_service(id);
    SqlValue frozen = nullptr;
    if (state.frozen_through_seq) frozen = *state.frozen_through_seq;
    EXPECT_TRUE(connection->execute(
        set_state_sql, {service.value, state.acknowledged_seq, state.transaction, frozen}));
    return service;
  }

  void add_packed_block(ServiceKey service, std::int64_t first_seq, std::int64_t last_seq,
                        StreamKey of, StreamId first_id, std::string_view packed,
                        WallTime appended_at = wall_time(1)) {
    ASSERT_TRUE(connection->execute(insert_old_block_sql,
                                    {service.value, last_seq, first_seq, of.value, first_id.value,
                                     unix_milliseconds(appended_at), Blob{packed}}));
  }

  using Positions = std::vector<std::int64_t>;
  void add_block(ServiceKey service, std::int64_t first_seq, StreamKey of,
                 const Positions& positions, WallTime appended_at = wall_time(1)) {
    const std::vector<StreamId> ids = ids_of(positions);
    add_packed_block(service, first_seq, first_seq + std::ssize(ids) - 1, of, ids.front(),
                     pack_positions(ids), appended_at);
  }

  /// Its entries 3 to 5 are damaged.
  ServiceKey add_damaged_inbox(StreamId first_id, std::string_view packed) {
    const ServiceKey a = add_old_service("a", {.acknowledged_seq = 1, .transaction = 1});
    add_block(a, 1, orders, {1, 2});
    add_packed_block(a, 3, 5, orders, first_id, packed);
    return a;
  }

  Result<void> migrate_all() { return migrate(*connection, database.dialect()); }

  std::int64_t version() { return number(read_version_sql); }
  std::int64_t number(const Statement& statement) {
    std::int64_t number = 0;
    EXPECT_TRUE(connection->execute(statement, {},
                                    [&number](const SqlRow& row) { number = row.integer(0); }));
    return number;
  }

  void expect_refused(StreamId first_id, std::string_view packed) {
    make_old_database();
    const ServiceKey a = add_damaged_inbox(first_id, packed);
    const auto migrated = migrate_all();
    ASSERT_FALSE(migrated) << packed.size() << " bytes from " << first_id.value;
    EXPECT_EQ(migrated.error().code, Code::storage_failed);
    EXPECT_EQ(migrated.error().detail,
              fmt::format("inbox entries 3 to 5 of service {} are damaged", a));
    EXPECT_EQ(version(), version_before);
    EXPECT_EQ(number(count_old_blocks_sql), 2);
  }

  std::vector<InboxBlock> blocks(ServiceKey service, StreamKey of) {
    return read_inbox_blocks(*connection, service, of, StreamId{0}, 100).value();
  }
  Positions positions(ServiceKey service, StreamKey of) {
    Positions all;
    for (const InboxBlock& block : blocks(service, of)) {
      const auto ids = unpack_positions(block.first, block.fact_count, block.positions).value();
      EXPECT_EQ(ids.back(), block.last);
      for (const StreamId id : ids) all.push_back(id.value);
    }
    return all;
  }
  std::optional<DeliveryCursor> cursor(ServiceKey service, StreamKey of) {
    const auto cursors = read_cursors(*connection).value();
    for (const StoredCursor& each : cursors) {
      if (each.service == service && each.stream == of) return each.cursor;
    }
    return std::nullopt;
  }

  static std::vector<StreamId> ids_of(const Positions& positions) {
    std::vector<StreamId> ids;
    for (const std::int64_t position : positions) ids.emplace_back(position);
    return ids;
  }

  StreamKey orders;
  StreamKey users;
};

TEST_F(InboxMigration, an_inbox_over_two_streams_becomes_one_for_each) {
  const ServiceKey a = add_old_service("a", {.acknowledged_seq = 5, .transaction = 12});
  add_block(a, 1, orders, {1, 2, 5}, wall_time(10));
  add_block(a, 4, users, {7, 9}, wall_time(30));
  add_block(a, 6, orders, {8, 300}, wall_time(40));
  add_block(a, 8, users, {1000, 1001}, wall_time(20));
  add_block(a, 10, orders, {301}, wall_time(50));
  ASSERT_TRUE(migrate_all());
  EXPECT_EQ(version(), schema_version());
  EXPECT_EQ(positions(a, orders), (Positions{8, 300, 301}));
  EXPECT_EQ(positions(a, users), (Positions{1000, 1001}));
  EXPECT_EQ(blocks(a, orders).front().appended_at, wall_time(40));
  EXPECT_EQ(cursor(a, orders), (DeliveryCursor{.acknowledged = StreamId{5},
                                               .transaction = TransactionNumber{12},
                                               .frozen = {},
                                               .delivered = 5}));
  EXPECT_EQ(cursor(a, users), (DeliveryCursor{.acknowledged = StreamId{9},
                                              .transaction = TransactionNumber{0},
                                              .frozen = {},
                                              .delivered = 0}));
}

TEST_F(InboxMigration, a_block_that_is_half_acknowledged_keeps_the_other_half) {
  const ServiceKey a = add_old_service("a", {.acknowledged_seq = 42, .transaction = 3});
  add_block(a, 41, orders, {3, 4, 200, 201}, wall_time(20));
  add_block(a, 45, orders, {202}, wall_time(10));
  ASSERT_TRUE(migrate_all());
  EXPECT_EQ(positions(a, orders), (Positions{200, 201, 202}));
  ASSERT_EQ(blocks(a, orders).size(), 1U);
  EXPECT_EQ(blocks(a, orders).front().appended_at, wall_time(10));
  EXPECT_EQ(cursor(a, orders).value().acknowledged, StreamId{4});
  EXPECT_EQ(cursor(a, orders).value().delivered, 42);
  EXPECT_FALSE(cursor(a, users));
}

TEST_F(InboxMigration, a_frozen_transaction_of_one_stream_stays_frozen_under_its_number) {
  const ServiceKey a =
      add_old_service("a", {.acknowledged_seq = 2, .transaction = 7, .frozen_through_seq = 4});
  add_block(a, 3, users, {5, 8, 9});
  add_block(a, 6, orders, {4});
  ASSERT_TRUE(migrate_all());
  EXPECT_EQ(cursor(a, users), (DeliveryCursor{.acknowledged = StreamId{0},
                                              .transaction = TransactionNumber{7},
                                              .frozen = {StreamId{8}},
                                              .delivered = 2}));
  EXPECT_EQ(cursor(a, orders), DeliveryCursor{});
  EXPECT_EQ(positions(a, users), (Positions{5, 8, 9}));
  EXPECT_EQ(positions(a, orders), (Positions{4}));
}

TEST_F(InboxMigration, a_frozen_transaction_of_two_streams_is_sent_anew_under_the_next_number) {
  const ServiceKey a =
      add_old_service("a", {.acknowledged_seq = 2, .transaction = 7, .frozen_through_seq = 5});
  add_block(a, 1, orders, {1, 2, 3});
  add_block(a, 4, users, {5, 8, 9});
  ASSERT_TRUE(migrate_all());
  EXPECT_EQ(cursor(a, orders), (DeliveryCursor{.acknowledged = StreamId{2},
                                               .transaction = TransactionNumber{7},
                                               .frozen = {},
                                               .delivered = 2}));
  EXPECT_EQ(cursor(a, users), DeliveryCursor{});
  EXPECT_EQ(positions(a, orders), (Positions{3}));
  EXPECT_EQ(positions(a, users), (Positions{5, 8, 9}));
}

TEST_F(InboxMigration, a_service_that_got_everything_keeps_its_number_and_its_count) {
  const ServiceKey a = add_old_service("a", {.acknowledged_seq = 1234, .transaction = 56});
  ASSERT_TRUE(migrate_all());
  EXPECT_EQ(cursor(a, orders), (DeliveryCursor{.acknowledged = StreamId{0},
                                               .transaction = TransactionNumber{56},
                                               .frozen = {},
                                               .delivered = 1234}));
  EXPECT_FALSE(cursor(a, users));
  EXPECT_TRUE(read_inbox_ends(*connection).value().empty());
}

TEST_F(InboxMigration, a_service_that_was_sent_nothing_has_no_cursor_or_an_empty_one) {
  add_old_service("a", {});
  const ServiceKey b = add_old_service("b", {});
  add_block(b, 1, users, {5, 6});
  ASSERT_TRUE(migrate_all());
  EXPECT_EQ(read_cursors(*connection).value().size(), 1U);
  EXPECT_EQ(cursor(b, users), DeliveryCursor{});
  EXPECT_EQ(positions(b, users), (Positions{5, 6}));
}

TEST_F(InboxMigration, services_keep_apart_and_keep_how_they_do) {
  const ServiceKey a = add_old_service("a", {.acknowledged_seq = 1, .transaction = 1});
  const ServiceKey b = add_old_service("b", {.acknowledged_seq = 2, .transaction = 9});
  add_block(a, 1, orders, {1, 2, 3});
  add_block(b, 1, orders, {1, 2, 4});
  ASSERT_TRUE(migrate_all());
  EXPECT_EQ(positions(a, orders), (Positions{2, 3}));
  EXPECT_EQ(positions(b, orders), (Positions{4}));
  EXPECT_EQ(cursor(a, orders).value().transaction, TransactionNumber{1});
  EXPECT_EQ(cursor(b, orders).value().transaction, TransactionNumber{9});
  const auto services = read_services(*connection).value();
  ASSERT_EQ(services.size(), 2U);
  for (const StoredService& service : services) {
    EXPECT_EQ(service.delivery.status, DeliveryStatus::down);
    EXPECT_EQ(service.delivery.attempts, 2);
    EXPECT_EQ(service.delivery.last_error, "refused");
  }
}

TEST_F(InboxMigration, a_long_inbox_becomes_blocks_of_a_thousand) {
  const ServiceKey a = add_old_service("a", {.acknowledged_seq = 100, .transaction = 1});
  Positions expected;
  for (std::int64_t first = 1; first <= 2600; first += 100) {
    Positions hundred;
    for (std::int64_t i = first; i < first + 100; ++i) hundred.push_back(3 * i);
    add_block(a, first, orders, hundred);
    if (first > 100) expected.insert(expected.end(), hundred.begin(), hundred.end());
  }
  ASSERT_TRUE(migrate_all());
  std::vector<std::int64_t> counts;
  const auto stored = blocks(a, orders);
  for (const InboxBlock& block : stored) counts.push_back(block.fact_count);
  EXPECT_EQ(counts, (std::vector<std::int64_t>{1000, 1000, 500}));
  EXPECT_EQ(positions(a, orders), expected);
}

TEST_F(InboxMigration, everything_that_was_sorted_counts_as_folded) {
  ASSERT_TRUE(set_sorted_through(*connection, users, StreamId{40}, 3));
  ASSERT_TRUE(migrate_all());
  EXPECT_EQ(read_compacted_through(*connection, orders).value(), StreamId{0});
  EXPECT_EQ(read_compacted_through(*connection, users).value(), StreamId{40});
  EXPECT_EQ(read_sorted_through(*connection, users).value(), StreamId{40});
}

TEST_F(InboxMigration, a_block_that_was_cut_is_refused_and_nothing_is_migrated) {
  expect_refused(StreamId{5}, "");
  expect_refused(StreamId{5}, std::string(1, '\0'));
  expect_refused(StreamId{5}, std::string("\0\x80", 2));
}

TEST_F(InboxMigration, a_block_with_bytes_behind_its_positions_is_refused) {
  expect_refused(StreamId{5}, std::string(3, '\0'));
}

TEST_F(InboxMigration, a_block_that_goes_beyond_the_last_position_is_refused) {
  const StreamId last{std::numeric_limits<std::int64_t>::max()};
  expect_refused(last.plus(-1), std::string(2, '\0'));
  expect_refused(StreamId{5}, std::string(9, '\xff') + '\1' + '\0');
}

TEST_F(InboxMigration, runs_again_when_the_damage_is_mended) {
  const ServiceKey a = add_damaged_inbox(StreamId{5}, "");
  ASSERT_FALSE(migrate_all());
  ASSERT_TRUE(connection->execute(mend_sql, {a.value, Blob{std::string_view("\0\0", 2)}}));
  ASSERT_TRUE(migrate_all());
  EXPECT_EQ(version(), schema_version());
  EXPECT_EQ(positions(a, orders), (Positions{2, 5, 6, 7}));
}

}  // namespace
}  // namespace postrider
