#include "postrider/delivery/testing/delivery_world.hpp"
#include "postrider/delivery/testing/fact_numbers.hpp"
#include "postrider/store/quarantine.hpp"

namespace postrider {
namespace {

using sim::ScriptedReceiver;
using std::chrono::seconds;

/// Facts that were decided, and are damaged on the disk when they are to be delivered.
class DamagedInbox : public DeliveryWorld {
 protected:
  DamagedInbox() {
    for (const char* id : {"a", "b"}) {
      put_service(id);
      EXPECT_TRUE(run(registry->pause(id)));
    }
    for (int block = 0; block < 4; ++block) deliver_in(*stream, {"a", "b"}, 10, 1 + 10 * block);
    // Nothing of them is left in memory.
    stream =
        only_stream(open_stream({.tail_cache_bytes = 0, .block_cache_bytes = 0}, StreamId{40}));
    stream->advance_linear_to(StreamId{40});
    restart();
  }
  void resume(const std::string& id = "a") { ASSERT_TRUE(run(registry->resume(id))); }

  /// The facts of one arrival.
  Numbers facts_in(std::size_t arrival) const {
    return numbers_in(receiver.arrivals.at(arrival).body);
  }
  std::vector<IdRange> quarantined() {
    std::vector<IdRange> ranges;
    const auto rows = read_quarantined(*reader, 10).value();
    for (const QuarantineRow& row : rows) ranges.push_back(row.ids);
    return ranges;
  }
};

TEST_F(DamagedInbox, are_left_out_and_put_in_quarantine) {
  damage_block(stream->key(), StreamId{20});
  resume();
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_EQ(facts_in(0), all_to(10, 1));
  EXPECT_EQ(facts_in(1), all_to(40, 21));
  EXPECT_EQ(quarantined(), (std::vector{IdRange{StreamId{11}, StreamId{20}}}));
  EXPECT_EQ(facts_quarantined.Value(), 10);
  EXPECT_EQ(facts_delivered.Value(), 30);
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{40});
  EXPECT_EQ(registry->find("a")->behind(), 0);
}

TEST_F(DamagedInbox, what_goes_out_beside_them_keeps_its_id_and_its_bytes) {
  damage_block(stream->key(), StreamId{20});
  receiver.answer = [](std::size_t index) {
    const bool fails = index < 3 || (index > 3 && index < 7);
    return ScriptedReceiver::status(fails ? 500 : 200);
  };
  resume();
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 2; }));
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 8U);
  for (const std::size_t first : {0U, 4U}) {
    for (std::size_t again = first + 1; again < first + 4; ++again) {
      EXPECT_EQ(receiver.arrivals[again].url, receiver.arrivals[first].url);
      EXPECT_EQ(receiver.arrivals[again].body, receiver.arrivals[first].body);
    }
  }
}

TEST_F(DamagedInbox, that_are_all_there_is_are_passed_by_without_a_request) {
  for (const std::int64_t last : {10, 20, 30, 40}) damage_block(stream->key(), StreamId{last});
  resume();
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_TRUE(receiver.arrivals.empty());
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{40});
  EXPECT_EQ(quarantined().size(), 4U);
  deliver("a", 1, 41);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(facts_in(0), all_to(41, 41));
}

TEST_F(DamagedInbox, of_a_frozen_transaction_give_it_another_id) {
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 500 : 200);
  };
  resume();
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  // The last fact that it is frozen through is one of them.
  damage_block(stream->key(), StreamId{40});
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_EQ(facts_in(0), all_to(40, 1));
  EXPECT_EQ(facts_in(1), all_to(30, 1));
  EXPECT_NE(receiver.arrivals[0].url, receiver.arrivals[1].url);
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{40});
}

TEST_F(DamagedInbox, are_entered_once_for_all_services) {
  damage_block(stream->key(), StreamId{20});
  for (const char* id : {"a", "b"}) {
    resume(id);
    ASSERT_TRUE(run_until_idle(id));
  }
  ASSERT_EQ(receiver.arrivals.size(), 4U);
  EXPECT_EQ(facts_in(0), facts_in(2));
  EXPECT_EQ(facts_quarantined.Value(), 10);
  EXPECT_EQ(quarantined().size(), 1U);
}

TEST_F(DamagedInbox, wait_for_a_database_that_cannot_take_their_entry) {
  damage_block(stream->key(), StreamId{10});
  writer->refuses = [](const Statement& statement, std::span<const SqlValue>) {
    return statement.sql.starts_with("INSERT INTO quarantine");
  };
  writer->refusal = Code::storage_full;
  resume();
  runtime.run_for(seconds{5});
  EXPECT_TRUE(receiver.arrivals.empty());
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{0});
  writer->refuses = nullptr;
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(facts_in(0), all_to(40, 11));
}

}  // namespace
}  // namespace postrider
