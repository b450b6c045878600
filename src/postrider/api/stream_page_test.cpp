#include "postrider/api/stream_page.hpp"

#include "postrider/stream/testing/shared_stream_world.hpp"

namespace postrider {
namespace {

using Ids = std::vector<std::int64_t>;

/// The third writer is far ahead, and the second may still commit below it.
class StreamPageTest : public SharedStreamWorld {
 protected:
  StreamPageTest() {
    know_all_writers();
    commit_of(third, {{StreamId{11}, StreamId{13}}});
    commit_of(third, {{StreamId{21}, StreamId{23}}});
    stream->apply_remote_update(update_without_facts(third, StreamId{30}));
  }

  /// The second one comes along, and nobody is ahead any more.
  void catch_up() {
    commit_of(second, {{StreamId{1}, StreamId{5}}});
    commit_of(second, {{StreamId{15}, StreamId{16}}});
    stream->apply_remote_update(update_without_facts(second, StreamId{30}));
    EXPECT_EQ(stream->linear_position(), StreamId{30});
  }

  /// Pages from `after` to the end. Goes on from the token of each fact when `by_fact`.
  Ids read_on(PositionVector after, const std::optional<PositionVector>& at_least,
              bool by_fact = false) {
    Ids ids;
    at = std::move(after);
    while (true) {
      const StreamPage page = run(read_stream(stream, {at, at_least}, 1)).value();
      if (page.chunks.empty() && at.reaches(page.through)) return ids;
      EXPECT_TRUE(page.through.reaches(at)) << "goes back";
      at = PositionVector::parse(page.through.token()).value();
      if (page.chunks.empty()) continue;
      const Chunk& first = page.chunks.front();
      if (by_fact) {
        ids.push_back(first.first.value);
        at = PositionVector::parse(page.after_fact(first.first).token()).value();
      } else {
        for (const std::int64_t id : ids_of(page.chunks)) ids.push_back(id);
      }
    }
  }

  Result<void> wait(const ReadPlace& place) {
    const bool is_given_up = false;
    const MonoTime until = runtime.now() + std::chrono::seconds{3};
    return run(wait_for_place(stream, place, until, &is_given_up));
  }

  PositionVector at;
  const PositionVector ahead{StreamId{0}, {{third, StreamId{30}}}};
  const Ids of_third{11, 12, 13, 21, 22, 23};
  const Ids of_second{1, 2, 3, 4, 5, 15, 16};
};

TEST_F(StreamPageTest, shows_nothing_that_is_not_in_order_unless_it_is_asked_for) {
  EXPECT_EQ(read_on({}, std::nullopt), Ids{});
  EXPECT_EQ(at, PositionVector());
}

TEST_F(StreamPageTest, shows_each_fact_once_to_who_asked_for_a_writer_that_is_ahead) {
  EXPECT_EQ(read_on({}, ahead), of_third);
  EXPECT_EQ(at.of(third), StreamId{30});
  EXPECT_EQ(at.of(second), StreamId{0});
  catch_up();
  EXPECT_EQ(read_on(at, std::nullopt), of_second);
  EXPECT_EQ(read_on(at, std::nullopt), Ids{});
}

TEST_F(StreamPageTest, goes_on_after_each_single_fact) {
  EXPECT_EQ(read_on({}, ahead, true), of_third);
  catch_up();
  EXPECT_EQ(read_on(at, std::nullopt, true), of_second);
}

TEST_F(StreamPageTest, goes_on_from_the_middle_of_what_a_writer_is_ahead) {
  catch_up();
  EXPECT_EQ(read_on(PositionVector(StreamId{0}, {{third, StreamId{12}}}), std::nullopt, true),
            (Ids{1, 2, 3, 4, 5, 13, 15, 16, 21, 22, 23}));
  EXPECT_EQ(read_on(PositionVector(StreamId{3}, {{third, StreamId{21}}}), std::nullopt),
            (Ids{4, 5, 15, 16, 22, 23}));
}

TEST_F(StreamPageTest, shows_no_more_of_a_writer_than_was_asked_for) {
  EXPECT_EQ(read_on({}, PositionVector(StreamId{0}, {{third, StreamId{12}}})), (Ids{11, 12}));
  EXPECT_EQ(read_on({}, PositionVector(StreamId{0}, {{second, StreamId{0}}})), Ids{});
}

TEST_F(StreamPageTest, is_in_order_of_ids_once_nobody_is_behind) {
  catch_up();
  const Ids all{1, 2, 3, 4, 5, 11, 12, 13, 15, 16, 21, 22, 23};
  EXPECT_EQ(read_on({}, std::nullopt), all);
  EXPECT_EQ(read_on({}, std::nullopt, true), all);
  EXPECT_EQ(read_on({}, ahead), all);
}

TEST_F(StreamPageTest, waits_for_what_must_be_there_and_says_when_it_does_not_come) {
  const ReadPlace place{{}, PositionVector(StreamId{20})};
  const auto waited = wait(place);
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, Code::deadline);
  const ReadPlace beyond{PositionVector(StreamId{30}), std::nullopt};
  const auto from_beyond = wait(beyond);
  ASSERT_FALSE(from_beyond);
  EXPECT_EQ(from_beyond.error().code, Code::deadline);
  catch_up();
  EXPECT_TRUE(wait(beyond));
  EXPECT_TRUE(wait(place));
}

}  // namespace
}  // namespace postrider
