#include "postrider/engine/quarantine_desk.hpp"

#include "postrider/store/quarantine.hpp"
#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {
namespace {

class QuarantineDeskTest : public StreamWorld {
 protected:
  QuarantineDeskTest() {
    for (int block = 0; block < 3; ++block) {
      EXPECT_TRUE(run(stream->append(facts(*stream, 2, 1 + 2 * block), std::nullopt)));
    }
    stream = only_stream(open_stream(uncached, StreamId{6}));
    stream->advance_linear_to(StreamId{6});
    desk = std::make_unique<QuarantineDesk>(*committer, Reader{lane, *reader}, *streams);
  }

  void put(StreamId first, StreamId last, const std::string& cause = "damaged") {
    ASSERT_TRUE(
        insert_quarantined(*writer, {stream->key(), {first, last}, cause, runtime.wall_now()}));
  }
  std::vector<QuarantineEntry> entries() { return run(desk->list()).value().entries; }
  std::vector<std::string> payloads_after(StreamId after) {
    std::vector<std::string> payloads;
    const FactRun found = run(stream->read(after, 10, Stream::WithAttributes::no)).value();
    for (const Chunk& chunk : found.chunks) {
      for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
        payloads.emplace_back(chunk.payload(id));
      }
    }
    return payloads;
  }

  static constexpr StreamSettings uncached{.tail_cache_bytes = 0, .block_cache_bytes = 0};
  Stream* stream = only_stream(open_stream(uncached));
  std::unique_ptr<QuarantineDesk> desk;
};

TEST_F(QuarantineDeskTest, shows_what_is_there_with_the_name_of_its_stream) {
  EXPECT_TRUE(entries().empty());
  put(StreamId{3}, StreamId{4}, "its checksum differs");
  const auto found = entries();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].stream, "events");
  EXPECT_EQ(found[0].ids, (IdRange{StreamId{3}, StreamId{4}}));
  EXPECT_EQ(found[0].cause, "its checksum differs");
}

TEST_F(QuarantineDeskTest, shows_a_bounded_number_and_that_there_are_more) {
  for (std::int64_t first = 1; first <= QuarantineDesk::entries_max; ++first) {
    put(StreamId{first}, StreamId{first});
  }
  EXPECT_FALSE(run(desk->list()).value().has_more);
  put(StreamId{QuarantineDesk::entries_max + 1}, StreamId{QuarantineDesk::entries_max + 1});
  const auto list = run(desk->list()).value();
  EXPECT_TRUE(list.has_more);
  EXPECT_EQ(std::ssize(list.entries), QuarantineDesk::entries_max);
}

TEST_F(QuarantineDeskTest, a_retry_appends_the_same_facts_at_the_end_and_removes_the_entry) {
  put(StreamId{3}, StreamId{4});
  const auto expected = payloads_after(StreamId{2});
  const auto receipt = run(desk->retry("events", StreamId{3}));
  ASSERT_TRUE(receipt) << receipt.error().detail;
  EXPECT_EQ(receipt->first, StreamId{7});
  EXPECT_EQ(receipt->last, StreamId{8});
  const auto appended = payloads_after(StreamId{6});
  ASSERT_EQ(appended.size(), 2U);
  EXPECT_EQ(appended[0], expected[0]);
  EXPECT_EQ(appended[1], expected[1]);
  EXPECT_TRUE(entries().empty());
  EXPECT_EQ(run(desk->retry("events", StreamId{3})).error().code, Code::not_found);
  EXPECT_EQ(stream->linear_position(), StreamId{8});
}

TEST_F(QuarantineDeskTest, facts_that_still_cannot_be_read_stay) {
  put(StreamId{3}, StreamId{4});
  damage_block(stream->key(), StreamId{4});
  const auto receipt = run(desk->retry("events", StreamId{3}));
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, Code::conflict);
  EXPECT_NE(receipt.error().detail.find("still cannot be read"), std::string::npos);
  EXPECT_EQ(entries().size(), 1U);
  EXPECT_EQ(stream->linear_position(), StreamId{6});
}

TEST_F(QuarantineDeskTest, a_process_that_does_not_know_of_all_facts_yet_leaves_the_entry) {
  put(StreamId{3}, StreamId{9});
  const auto receipt = run(desk->retry("events", StreamId{3}));
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, Code::deadline);
  EXPECT_EQ(entries().size(), 1U);
  EXPECT_EQ(stream->linear_position(), StreamId{6});
}

TEST_F(QuarantineDeskTest, what_is_dropped_is_gone_and_nothing_else) {
  put(StreamId{3}, StreamId{4});
  put(StreamId{5}, StreamId{5});
  ASSERT_TRUE(run(desk->drop("events", StreamId{3})));
  ASSERT_EQ(entries().size(), 1U);
  EXPECT_EQ(entries()[0].ids.first, StreamId{5});
  EXPECT_EQ(run(desk->drop("events", StreamId{3})).error().code, Code::not_found);
  EXPECT_EQ(run(desk->drop("other", StreamId{5})).error().code, Code::not_found);
  EXPECT_EQ(run(desk->drop("events", StreamId{4})).error().code, Code::not_found);
}

}  // namespace
}  // namespace postrider
