#include "postrider/delivery/inbox_reader.hpp"

#include "postrider/sort/testing/decision_world.hpp"

namespace postrider {
namespace {

/// Calls `between` once, after the next statement and before the one that follows it.
class InterruptedConnection final : public ForwardingConnection {
 public:
  using ForwardingConnection::ForwardingConnection;

  using ForwardingConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override {
    auto done = ForwardingConnection::execute(statement, values, row);
    if (between) std::exchange(between, {})();
    return done;
  }

  std::function<void()> between;
};

class ReadInbox : public DecisionWorld {
 protected:
  static constexpr std::size_t all = 100'000;
  static constexpr std::int64_t many = 5000;
  static_assert(many < Inbox::window_max && 2 * many > Inbox::window_max);

  ReadInbox() { service.row.key = a; }

  /// Of a service that is behind on `behind` facts, none of which is in memory.
  void restore(std::int64_t behind, std::int64_t acknowledged = 0) {
    inbox = Inbox(StreamId{acknowledged}, behind, runtime.wall_now());
  }
  Result<void> read(std::size_t count_max = all) {
    return run(inboxes().read(&service, events, &inbox, count_max));
  }
  Result<void> read_through(std::int64_t through) {
    return run(inboxes().read_through(&service, events, &inbox, StreamId{through}));
  }
  InboxReader& inboxes() {
    inboxes_.emplace(Reader{lane, connection}, *tails);
    return *inboxes_;
  }
  Positions window() const { return numbers(inbox.slice_after(StreamId{}, all)); }
  Positions frozen(std::int64_t through) const {
    return numbers(inbox.slice_through(StreamId{through}));
  }
  /// A row that gives the service these facts.
  void decide_for_a(const Positions& positions) { decide(events, {{{a}, positions}}); }
  /// As many rows, each of `many` facts: the window has room for one and begins a second.
  void decide_many_for_a(std::int64_t rows) {
    for (std::int64_t row = 0; row < rows; ++row) {
      decide_for_a(run_of(row * many + 1, (row + 1) * many));
    }
  }
  void expect_storage_failed(const Result<void>& done) {
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::storage_failed);
  }

  StreamKey events = add_stream_row("events");
  ServiceKey a = add_service_row("a");
  ServiceKey b = add_service_row("b");
  InterruptedConnection connection{*reader};
  Service service;
  Inbox inbox;

 private:
  std::optional<InboxReader> inboxes_;
};

TEST_F(ReadInbox, blocks_come_first_and_then_the_rows_that_are_not_folded) {
  decide_for_a({1, 2});
  decide_for_a({5});
  fold_all(events);
  decide_for_a({7, 9});
  decide_for_a({10});
  restore(6);
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), (Positions{1, 2, 5, 7, 9, 10}));
}

TEST_F(ReadInbox, only_what_names_the_service_and_is_of_the_stream_is_its) {
  const StreamKey other = add_stream_row("other");
  for (std::int64_t at : {1, 11}) {
    decide(events, {{{a}, {at}}, {{b}, {at + 1, at + 3}}, {{a, b}, {at + 2}}});
    decide(events, {{{b}, {at + 5}}});
    decide(other, {{{a}, run_of(at, at + 8)}});
    if (at == 1) {
      fold_all(events);
      fold_all(other);
    }
  }
  restore(4);
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), (Positions{1, 3, 11, 13}));
  service.row.key = b;
  restore(8);
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), (Positions{2, 3, 4, 6, 12, 13, 14, 16}));
  restore(18);
  service.row.key = a;
  ASSERT_TRUE(run(inboxes().read(&service, other, &inbox, all)));
  EXPECT_EQ(window(), (Positions{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19}));
}

TEST_F(ReadInbox, begins_after_what_was_acknowledged_inside_a_block) {
  decide_for_a(run_of(1, 9));
  fold_all(events);
  decide_for_a({12});
  restore(3, 7);
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), (Positions{8, 9, 12}));
}

TEST_F(ReadInbox, begins_after_what_was_acknowledged_inside_a_row) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a(run_of(3, 9));
  decide_for_a({12});
  restore(3, 7);
  const int before = reader->statements;
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), (Positions{8, 9, 12}));
  EXPECT_EQ(reader->statements, before);  // what was folded is acknowledged
}

TEST_F(ReadInbox, reads_the_tail_only_when_blocks_do_not_hold_what_is_wanted) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3, 4});
  restore(4);
  ASSERT_TRUE(read(1));
  ASSERT_TRUE(read(2));
  EXPECT_EQ(window(), (Positions{1, 2}));
  ASSERT_TRUE(read(3));
  EXPECT_EQ(window(), run_of(1, 4));
}

TEST_F(ReadInbox, reads_of_the_tail_what_the_window_has_room_for_and_goes_on_from_there) {
  decide_many_for_a(5);
  restore(5 * many);
  ASSERT_TRUE(read(1));
  EXPECT_EQ(window(), run_of(1, 2 * many));
  ASSERT_TRUE(read(2 * many));
  EXPECT_EQ(window(), run_of(1, 2 * many));
  inbox.acknowledge(StreamId{2 * many - 10}, 2 * many - 10);
  ASSERT_TRUE(read(20));
  EXPECT_EQ(window(), run_of(2 * many - 9, 4 * many));
  inbox.acknowledge(StreamId{4 * many}, 2 * many + 10);
  ASSERT_TRUE(read(20));
  EXPECT_EQ(window(), run_of(4 * many + 1, 5 * many));
}

TEST_F(ReadInbox, many_blocks_are_read_in_several_steps) {
  Positions expected;
  for (std::int64_t at = 1; at <= 50; ++at) {
    const InboxBlock block{.first = StreamId{2 * at},
                           .last = StreamId{2 * at},
                           .fact_count = 1,
                           .appended_at = wall_time(at),
                           .positions = {}};
    ASSERT_TRUE(insert_inbox_block(*writer, a, events, block));
    expected.push_back(2 * at);
  }
  ASSERT_TRUE(fold_decisions(*writer, events, StreamId{100}));
  load_decisions();
  restore(50);
  ASSERT_TRUE(read(20));
  EXPECT_GE(window().size(), 20U);
  EXPECT_LT(window().size(), 50U);
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), expected);
  inbox.acknowledge(StreamId{80}, 40);
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(41));
}

TEST_F(ReadInbox, blocks_of_a_number_that_fills_steps_exactly_are_read_to_their_end) {
  for (std::int64_t at = 1; at <= 32; ++at) {
    const InboxBlock block{.first = StreamId{at},
                           .last = StreamId{at},
                           .fact_count = 1,
                           .appended_at = wall_time(at),
                           .positions = {}};
    ASSERT_TRUE(insert_inbox_block(*writer, a, events, block));
  }
  ASSERT_TRUE(fold_decisions(*writer, events, StreamId{40}));
  load_decisions();
  decide_for_a({41});
  restore(33);
  ASSERT_TRUE(read());
  EXPECT_EQ(window().size(), 33U);
  EXPECT_EQ(window().back(), 41);
}

TEST_F(ReadInbox, a_service_that_was_folded_nothing_of_goes_on_in_the_tail) {
  decide(events, {{{b}, {1, 2, 3}}});
  fold_all(events);
  decide_for_a({4});
  restore(1);
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), (Positions{4}));
}

TEST_F(ReadInbox, what_is_folded_between_two_reads_is_neither_lost_nor_read_again) {
  decide_many_for_a(7);
  restore(7 * many);
  ASSERT_TRUE(read(1));
  EXPECT_EQ(window(), run_of(1, 2 * many));
  ASSERT_TRUE(fold_oldest(events));  // what is known already
  ASSERT_TRUE(read(2 * many + 1));
  EXPECT_EQ(window(), run_of(1, 3 * many));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(fold_oldest(events));  // and what is not
  ASSERT_TRUE(read(3 * many + 1));
  EXPECT_EQ(window(), run_of(1, 3 * many + 8000));  // as many blocks as are read at once
  ASSERT_TRUE(read(5 * many + 1));
  EXPECT_EQ(window(), run_of(1, 6 * many));
  fold_all(events);
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), run_of(1, 7 * many));
}

TEST_F(ReadInbox, a_block_that_goes_on_between_two_reads_is_not_read_again) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3});
  decide_for_a({4});
  restore(4);
  ASSERT_TRUE(read(1));
  EXPECT_EQ(window(), (Positions{1, 2}));
  ASSERT_TRUE(fold_oldest(events));
  EXPECT_EQ(folded(a, events), (std::vector<Positions>{{1, 2, 3}}));
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), run_of(1, 4));
}

TEST_F(ReadInbox, what_is_folded_while_blocks_are_read_is_neither_lost_nor_read_again) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3, 4});
  decide_for_a({5, 6});
  restore(6);
  // On disk only: memory learns of it afterwards.
  connection.between = [this] {
    const InboxBlock block{.first = StreamId{3},
                           .last = StreamId{4},
                           .fact_count = 2,
                           .appended_at = runtime.wall_now(),
                           .positions = std::string(1, '\0')};
    ASSERT_TRUE(insert_inbox_block(*writer, a, events, block));
    ASSERT_TRUE(fold_decisions(*writer, events, StreamId{4}));
  };
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), run_of(1, 6));
}

TEST_F(ReadInbox, what_memory_does_not_know_to_be_folded_is_read_from_blocks_and_not_again) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3, 4});
  decide_for_a({5, 6});
  auto behind = std::make_unique<DecisionTails>(runtime);
  ASSERT_TRUE(behind->load(read_decisions(*reader).value()));
  ASSERT_TRUE(fold_oldest(events));
  tails = std::move(behind);
  restore(6);
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), run_of(1, 6));
}

TEST_F(ReadInbox, what_is_added_while_blocks_are_read_is_read_after_them) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3});
  restore(3);
  connection.between = [this] {
    const std::vector<StreamId> positions = {StreamId{4}};
    tails->of(events).add(
        {.after = StreamId{3},
         .through = StreamId{4},
         .entries = 1,
         .appended_at = runtime.wall_now(),
         .data = pack_decisions(StreamId{3}, std::vector<DecisionGroup>{{{a}, positions}})});
    inbox.add(positions, runtime.wall_now());
  };
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), run_of(1, 4));
}

TEST_F(ReadInbox, a_window_that_was_read_to_its_end_goes_on_with_what_is_added) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3});
  restore(3);
  ASSERT_TRUE(read());
  decide_for_a({4});
  inbox.add(ids({4}), runtime.wall_now());
  EXPECT_EQ(window(), run_of(1, 4));
  EXPECT_FALSE(inbox.needs_more(all));
}

TEST_F(ReadInbox, a_frozen_transaction_is_read_through_its_last_fact) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3, 4});
  decide_for_a({5, 6});
  decide_for_a({7, 8});
  restore(8);
  ASSERT_TRUE(read_through(2));
  EXPECT_EQ(frozen(2), (Positions{1, 2}));
  ASSERT_TRUE(read_through(5));
  EXPECT_EQ(frozen(5), run_of(1, 5));
  ASSERT_TRUE(read_through(8));
  EXPECT_EQ(frozen(8), run_of(1, 8));
}

TEST_F(ReadInbox, a_frozen_transaction_may_be_larger_than_the_window) {
  constexpr std::int64_t facts = 3 * Inbox::window_max;
  for (std::int64_t at = 1; at <= facts; at += 4096) decide_for_a(run_of(at, at + 4095));
  ASSERT_TRUE(fold_oldest(events));
  restore(facts);
  ASSERT_TRUE(read_through(facts - 1));
  EXPECT_EQ(frozen(facts - 1), run_of(1, facts - 1));
}

TEST_F(ReadInbox, nothing_is_read_when_the_window_holds_enough) {
  inbox.add(ids({1, 2}), runtime.wall_now());
  const int before = reader->statements;
  ASSERT_TRUE(read());
  ASSERT_TRUE(read_through(2));
  EXPECT_EQ(reader->statements, before);
  EXPECT_EQ(window(), (Positions{1, 2}));
}

TEST_F(ReadInbox, missing_blocks_are_an_error_each_time) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3});
  ASSERT_TRUE(drop_inbox_blocks(*writer, a, events, StreamId{2}));
  restore(3);
  expect_storage_failed(read());
  expect_storage_failed(read());
}

TEST_F(ReadInbox, missing_blocks_of_a_frozen_transaction_are_an_error_each_time) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3, 4});
  ASSERT_TRUE(drop_inbox_blocks(*writer, a, events, StreamId{2}));
  restore(4);
  expect_storage_failed(read_through(5));
  expect_storage_failed(read_through(5));
}

TEST_F(ReadInbox, missing_decisions_are_an_error_each_time) {
  decide_for_a({1, 2});
  restore(3);
  expect_storage_failed(read());
  expect_storage_failed(read());
}

TEST_F(ReadInbox, a_database_that_has_folded_less_than_it_said_is_an_error) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3});
  ASSERT_TRUE(drop_inbox_blocks(*writer, a, events, StreamId{2}));
  ASSERT_TRUE(fold_decisions(*writer, events, StreamId{0}));
  restore(3);
  const auto missing = read();
  expect_storage_failed(missing);
  EXPECT_NE(missing.error().detail.find("ends at fact 0 of stream"), std::string::npos)
      << missing.error().detail;
}

TEST_F(ReadInbox, a_block_that_ends_elsewhere_than_it_says_is_an_error_each_time) {
  decide_for_a({1, 2, 3});
  fold_all(events);
  auto block = blocks_of(a, events).at(0);
  for (const std::int64_t last : {2, 4}) {
    ASSERT_TRUE(drop_inbox_block(*writer, a, events, block.last));
    block.last = StreamId{last};
    ASSERT_TRUE(insert_inbox_block(*writer, a, events, block));
    restore(3);
    expect_storage_failed(read());
    expect_storage_failed(read());
  }
}

TEST_F(ReadInbox, a_block_of_facts_that_are_not_decided_is_an_error_each_time) {
  decide_for_a({1, 2, 3});
  fold_all(events);
  const auto block = blocks_of(a, events).at(0);
  ASSERT_TRUE(drop_inbox_block(*writer, a, events, block.last));
  const std::vector<StreamId> positions = ids({1, 2, 4});
  ASSERT_TRUE(insert_inbox_block(*writer, a, events,
                                 {.first = positions.front(),
                                  .last = positions.back(),
                                  .fact_count = 3,
                                  .appended_at = block.appended_at,
                                  .positions = pack_positions(positions)}));
  restore(3);
  expect_storage_failed(read());
  expect_storage_failed(read());
}

TEST_F(ReadInbox, a_damaged_block_is_an_error) {
  const InboxBlock block{.first = StreamId{1},
                         .last = StreamId{3},
                         .fact_count = 3,
                         .appended_at = wall_time(1),
                         .positions = std::string(1, '\0')};
  ASSERT_TRUE(insert_inbox_block(*writer, a, events, block));
  ASSERT_TRUE(fold_decisions(*writer, events, StreamId{3}));
  load_decisions();
  restore(3);
  expect_storage_failed(read());
}

TEST_F(ReadInbox, a_damaged_row_is_an_error) {
  tails->of(events).add({.after = StreamId{0},
                         .through = StreamId{3},
                         .entries = 3,
                         .appended_at = wall_time(1),
                         .data = "\x07"});
  restore(3);
  expect_storage_failed(read());
}

TEST_F(ReadInbox, a_read_that_fails_loses_nothing) {
  decide_for_a({1, 2});
  fold_all(events);
  decide_for_a({3});
  restore(3);
  reader->refused_once = "FROM inbox_blocks";
  const auto refused = read();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::storage_unavailable);
  ASSERT_TRUE(read());
  EXPECT_EQ(window(), run_of(1, 3));
}

}  // namespace
}  // namespace postrider
