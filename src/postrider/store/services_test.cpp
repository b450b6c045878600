#include "postrider/store/services.hpp"

#include "postrider/store/cursors.hpp"
#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class StoredServices : public StoreTest {};

DeliveryState state_of_a_failing_service() {
  DeliveryState state;
  state.status = DeliveryStatus::down;
  state.attempts = 2;
  state.retry_interval = std::chrono::seconds{4};
  state.next_attempt_at = wall_time(99);
  state.last_error = "refused";
  return state;
}

void expect_same(const DeliveryState& left, const DeliveryState& right) {
  EXPECT_EQ(left.status, right.status);
  EXPECT_EQ(left.attempts, right.attempts);
  EXPECT_EQ(left.retry_interval, right.retry_interval);
  EXPECT_EQ(left.next_attempt_at, right.next_attempt_at);
  EXPECT_EQ(left.last_error, right.last_error);
  EXPECT_EQ(left.paused_by, right.paused_by);
}

TEST_F(StoredServices, a_new_service_is_untested_and_has_been_sent_nothing) {
  const ServiceKey key = add_service("a");
  const auto stored = read_services(*connection).value();
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].row.key, key);
  EXPECT_EQ(stored[0].row.id, "a");
  EXPECT_EQ(stored[0].row.source, ServiceSource::api);
  EXPECT_EQ(stored[0].row.document, "{}");
  EXPECT_EQ(stored[0].row.transaction_prefix, "00000001");
  expect_same(stored[0].delivery, DeliveryState{});
  EXPECT_EQ(stored[0].delivery.status, DeliveryStatus::untested);
  EXPECT_TRUE(read_cursors(*connection).value().empty());
}

TEST_F(StoredServices, a_delivery_state_reads_back_as_it_was_written_and_can_be_emptied) {
  const ServiceKey key = add_service("a");
  ASSERT_TRUE(update_delivery(*connection, key, state_of_a_failing_service()));
  expect_same(read_services(*connection).value()[0].delivery, state_of_a_failing_service());
  DeliveryState paused;
  paused.status = DeliveryStatus::paused;
  paused.paused_by.add(PauseCause::undeclared);
  paused.paused_by.add(PauseCause::by_receiver);
  ASSERT_TRUE(update_delivery(*connection, key, paused));
  expect_same(read_services(*connection).value()[0].delivery, paused);
  ASSERT_TRUE(update_delivery(*connection, key, DeliveryState{}));
  expect_same(read_services(*connection).value()[0].delivery, DeliveryState{});
}

TEST_F(StoredServices, a_changed_registration_keeps_the_delivery_state) {
  const ServiceKey key = add_service("a");
  ASSERT_TRUE(update_delivery(*connection, key, state_of_a_failing_service()));
  ServiceRow row = read_services(*connection).value()[0].row;
  row.source = ServiceSource::configuration;
  row.document = R"({"id":"a"})";
  ASSERT_TRUE(update_document(*connection, row));
  const auto stored = read_services(*connection).value();
  EXPECT_EQ(stored[0].row.source, ServiceSource::configuration);
  EXPECT_EQ(stored[0].row.document, row.document);
  EXPECT_EQ(stored[0].row.transaction_prefix, "00000001");
  expect_same(stored[0].delivery, state_of_a_failing_service());
}

TEST_F(StoredServices, two_services_never_share_an_id) {
  add_service("a");
  const ServiceRow row{
      .key = {}, .id = "a", .kind = "plain", .document = "{}", .transaction_prefix = "2"};
  EXPECT_FALSE(insert_service(*connection, row, wall_time(1)));
}

TEST_F(StoredServices, a_deleted_service_leaves_nothing_and_its_key_is_not_given_out_again) {
  const ServiceKey first = add_service("a");
  const ServiceKey other = add_service("b");
  for (const ServiceKey service : {first, other}) {
    for (const StreamKey of : {stream, StreamKey{2}}) {
      ASSERT_TRUE(
          insert_inbox_block(*connection, service, of, inbox_block_of(StreamId{1}, StreamId{1})));
      ASSERT_TRUE(put_cursor(*connection, service, of, DeliveryCursor{}));
    }
  }
  ASSERT_TRUE(delete_service(*connection, first));
  const auto services = read_services(*connection).value();
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services[0].row.key, other);
  const auto ends = read_inbox_ends(*connection).value();
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[0].service, other);
  const auto cursors = read_cursors(*connection).value();
  ASSERT_EQ(cursors.size(), 2U);
  EXPECT_EQ(cursors[0].service, other);
  ASSERT_TRUE(delete_service(*connection, other));
  EXPECT_GT(add_service("a"), other);
}

TEST_F(StoredServices, a_delivery_state_for_a_deleted_service_changes_nothing) {
  const ServiceKey key = add_service("a");
  ASSERT_TRUE(delete_service(*connection, key));
  EXPECT_TRUE(update_delivery(*connection, key, state_of_a_failing_service()));
  EXPECT_TRUE(read_services(*connection).value().empty());
}

}  // namespace
}  // namespace postrider
