#include "postrider/delivery/stored_delivery.hpp"

#include <map>

#include "postrider/sort/testing/decision_world.hpp"

namespace postrider {
namespace {

using std::chrono::seconds;

class RestoredDelivery : public DecisionWorld {
 protected:
  /// As a process finds it at its start.
  void restore() {
    load_decisions();
    const auto stored = read_stored_delivery(*reader).value();
    services = stored.services.size();
    streams = restore_streams(stored, *tails).value();
  }
  const Inbox& inbox(ServiceKey service, StreamKey of) { return streams.at(service).at(of).inbox; }
  const DeliveryCursor& cursor(ServiceKey service, StreamKey of) {
    return streams.at(service).at(of).cursor;
  }
  WallTime after(Duration passed) {
    runtime.run_for(passed);
    return runtime.wall_now();
  }

  StreamKey events = add_stream_row("events");
  StreamKey other = add_stream_row("other");
  ServiceKey a = add_service_row("a");
  ServiceKey b = add_service_row("b");
  std::size_t services = 0;
  std::unordered_map<ServiceKey, Service::Streams> streams;
};

TEST_F(RestoredDelivery, services_without_facts_have_no_streams) {
  restore();
  EXPECT_EQ(services, 2U);
  EXPECT_TRUE(streams[a].empty());
  EXPECT_TRUE(streams[b].empty());
}

TEST_F(RestoredDelivery, one_that_has_got_everything_is_not_behind_and_keeps_its_cursor) {
  decide(events, {{{a}, {1, 2, 3}}});
  acknowledge(a, events, 3, 3);
  fold_all(events);
  restore();
  EXPECT_EQ(cursor(a, events), (DeliveryCursor{.acknowledged = StreamId{3},
                                               .transaction = TransactionNumber{1},
                                               .frozen = {},
                                               .delivered = 3}));
  EXPECT_EQ(inbox(a, events).acknowledged(), StreamId{3});
  EXPECT_EQ(inbox(a, events).behind(), 0);
  EXPECT_EQ(inbox(a, events).oldest_appended_at(), std::nullopt);
  EXPECT_FALSE(inbox(a, events).needs_more(1));
}

TEST_F(RestoredDelivery, what_is_frozen_is_frozen_again) {
  decide(events, {{{a}, {1, 2, 3}}});
  const DeliveryCursor sending{.acknowledged = StreamId{1},
                               .transaction = TransactionNumber{7},
                               .frozen = {StreamId{2}},
                               .delivered = 1};
  ASSERT_TRUE(put_cursor(*writer, a, events, sending));
  restore();
  EXPECT_EQ(cursor(a, events), sending);
  EXPECT_TRUE(streams.at(a).at(events).revision.is_saved());
  EXPECT_EQ(inbox(a, events).behind(), 2);
}

TEST_F(RestoredDelivery, one_that_was_sent_nothing_is_behind_on_decisions_alone) {
  const WallTime first = after(seconds{1});
  decide(events, {{{a}, {2, 3}}, {{a, b}, {5}}});
  after(seconds{1});
  decide(events, {{{b}, {6, 7}}});
  restore();
  EXPECT_EQ(inbox(a, events).behind(), 3);
  EXPECT_EQ(inbox(a, events).acknowledged(), StreamId{0});
  EXPECT_EQ(inbox(a, events).oldest_appended_at(), first);
  EXPECT_TRUE(inbox(a, events).slice_after(StreamId{}, 10).empty());
  EXPECT_EQ(inbox(b, events).behind(), 3);
  EXPECT_EQ(cursor(a, events), DeliveryCursor{});
}

TEST_F(RestoredDelivery, one_that_was_sent_nothing_is_behind_on_blocks_alone) {
  const WallTime first = after(seconds{1});
  decide(events, {{{a}, run_of(1, 1500)}});
  after(seconds{1});
  decide(events, {{{a}, run_of(1501, 2300)}});
  fold_all(events);
  ASSERT_EQ(folded(a, events).size(), 3U);
  restore();
  EXPECT_EQ(inbox(a, events).behind(), 2300);
  EXPECT_EQ(inbox(a, events).oldest_appended_at(), first);
  EXPECT_TRUE(inbox(a, events).slice_after(StreamId{}, 10).empty());
}

TEST_F(RestoredDelivery, blocks_and_decisions_add_up_and_the_oldest_is_that_of_the_blocks) {
  const WallTime first = after(seconds{1});
  decide(events, {{{a}, {1, 2}}});
  fold_all(events);
  after(seconds{1});
  decide(events, {{{a}, {3, 4, 5}}});
  restore();
  EXPECT_EQ(inbox(a, events).behind(), 5);
  EXPECT_EQ(inbox(a, events).oldest_appended_at(), first);
}

TEST_F(RestoredDelivery, what_is_acknowledged_of_the_first_block_does_not_wait) {
  decide(events, {{{a}, run_of(1, 1000)}});
  decide(events, {{{a}, run_of(1001, 1400)}});
  fold_all(events);
  for (const auto& [acknowledged, behind] : std::map<std::int64_t, std::int64_t>{
           {1, 1399}, {700, 700}, {999, 401}, {1000, 400}, {1001, 399}, {1399, 1}, {1400, 0}}) {
    SCOPED_TRACE(acknowledged);
    acknowledge(a, events, acknowledged);
    restore();
    EXPECT_EQ(inbox(a, events).behind(), behind);
    EXPECT_EQ(inbox(a, events).acknowledged(), StreamId{acknowledged});
  }
}

TEST_F(RestoredDelivery, what_is_acknowledged_counts_by_facts_and_not_by_positions) {
  decide(events, {{{a}, {10, 20, 30, 40}}});
  fold_all(events);
  decide(events, {{{a}, {50, 60}}});
  // A cursor may stand on a position that is not the service's own.
  for (const auto& [acknowledged, behind] :
       std::map<std::int64_t, std::int64_t>{{9, 6}, {25, 4}, {30, 3}, {45, 2}, {55, 1}, {60, 0}}) {
    SCOPED_TRACE(acknowledged);
    acknowledge(a, events, acknowledged);
    restore();
    EXPECT_EQ(inbox(a, events).behind(), behind);
  }
}

TEST_F(RestoredDelivery, rows_before_the_cursor_do_not_wait_and_those_after_it_do) {
  std::vector<WallTime> appended_at;
  for (std::int64_t at = 1; at <= 7; at += 3) {
    appended_at.push_back(after(seconds{1}));
    decide(events, {{{a}, {at, at + 2}}, {{a, b}, {at + 1}}});
  }
  acknowledge(a, events, 3);  // the end of a row
  restore();
  EXPECT_EQ(inbox(a, events).behind(), 6);
  EXPECT_EQ(inbox(a, events).oldest_appended_at(), appended_at[1]);
  acknowledge(a, events, 5);  // inside one
  restore();
  EXPECT_EQ(inbox(a, events).behind(), 4);
  EXPECT_EQ(inbox(a, events).oldest_appended_at(), appended_at[1]);
  EXPECT_EQ(inbox(b, events).behind(), 3);
  EXPECT_EQ(inbox(b, events).oldest_appended_at(), appended_at[0]);
}

TEST_F(RestoredDelivery, each_stream_of_a_service_stands_for_itself) {
  decide(events, {{{a}, {1, 2, 3}}});
  decide(other, {{{a}, {1, 2}}});
  fold_all(events);
  acknowledge(a, events, 2, 2);
  restore();
  ASSERT_EQ(streams.at(a).size(), 2U);
  EXPECT_EQ(inbox(a, events).behind(), 1);
  EXPECT_EQ(inbox(a, other).behind(), 2);
  EXPECT_EQ(cursor(a, other), DeliveryCursor{});
}

TEST_F(RestoredDelivery, a_damaged_block_counts_as_a_whole_and_stops_nobody) {
  decide(events, {{{a, b}, {1, 2, 3}}});
  fold_all(events);
  acknowledge(a, events, 1);
  acknowledge(b, events, 1);
  ASSERT_TRUE(drop_inbox_block(*writer, a, events, StreamId{3}));
  const InboxBlock damaged{.first = StreamId{1},
                           .last = StreamId{3},
                           .fact_count = 3,
                           .appended_at = wall_time(1),
                           .positions = {}};
  ASSERT_TRUE(insert_inbox_block(*writer, a, events, damaged));
  restore();
  EXPECT_EQ(inbox(a, events).behind(), 3);
  EXPECT_EQ(inbox(b, events).behind(), 2);
}

TEST_F(RestoredDelivery, damaged_decisions_are_an_error) {
  tails->of(events).add({.after = StreamId{0},
                         .through = StreamId{4},
                         .entries = 1,
                         .appended_at = wall_time(1),
                         .data = "\x07"});
  const auto restored = restore_streams(read_stored_delivery(*reader).value(), *tails);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, Code::storage_failed);
}

}  // namespace
}  // namespace postrider
