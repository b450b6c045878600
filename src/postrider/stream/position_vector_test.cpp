#include "postrider/stream/position_vector.hpp"

#include <random>

#include <gtest/gtest.h>

namespace postrider {
namespace {

PositionVector vector(std::string_view token) {
  return PositionVector::parse(token).value();
}

TEST(PositionVector, has_a_stable_text_form) {
  EXPECT_EQ(PositionVector(StreamId{5}).token(), "s5");
  const PositionVector::Ahead ahead = {{InstanceKey{7}, StreamId{6}},
                                       {InstanceKey{2}, StreamId{9}}};
  EXPECT_EQ(PositionVector(StreamId{5}, ahead).token(), "m5~2.9~7.6");
  EXPECT_EQ(vector("m5~2.9~7.6"), PositionVector(StreamId{5}, ahead));
  EXPECT_EQ(vector("s9223372036854775807").minimum(), StreamId{9223372036854775807});
}

TEST(PositionVector, reads_what_stands_at_its_minimum_as_linear) {
  EXPECT_EQ(vector("m5~").token(), "s5");
  EXPECT_EQ(vector("m5~2.5~3.4").token(), "s5");
  EXPECT_EQ(vector("m5~2.4~3.8").token(), "m5~3.8");
}

TEST(PositionVector, refuses_what_was_never_given_out) {
  for (const char* text : {"",           "s",
                           "1",          "m5",
                           "s-1",        "s+1",
                           "s 1",        "s1x",
                           "S1",         "s9223372036854775808",
                           "m~",         "m5~2",
                           "m5~2.",      "m5~.3",
                           "m5~2.9~",    "m5~2.9~~3.8",
                           "m5~2.9~2.8", "m5~-2.9",
                           "m5~2.9 ",    "s5~2.9",
                           "v1~2",       "x5~2.9",
                           "t3-5"}) {
    EXPECT_FALSE(PositionVector::parse(text)) << text;
  }
}

TEST(PositionVector, covers_a_writer_up_to_its_entry_and_others_up_to_the_minimum) {
  const PositionVector at = vector("m5~2.9");
  EXPECT_EQ(at.of(InstanceKey{2}), StreamId{9});
  EXPECT_EQ(at.of(InstanceKey{3}), StreamId{5});
  EXPECT_EQ(at.maximum(), StreamId{9});
  EXPECT_FALSE(at.is_linear());
}

TEST(PositionVector, is_partially_ordered) {
  EXPECT_TRUE(vector("m5~2.9").reaches(vector("s5")));
  EXPECT_FALSE(vector("s5").reaches(vector("m5~2.9")));
  EXPECT_TRUE(vector("s9").reaches(vector("m5~2.9")));
  EXPECT_FALSE(vector("m5~2.9").reaches(vector("s6")));
  // Neither before the other.
  EXPECT_FALSE(vector("m5~2.9").reaches(vector("m5~3.9")));
  EXPECT_FALSE(vector("m5~3.9").reaches(vector("m5~2.9")));
}

TEST(PositionVector, joins_and_clips) {
  EXPECT_EQ(vector("m5~2.9").joined(vector("m6~3.8")).token(), "m6~2.9~3.8");
  EXPECT_EQ(vector("m5~2.9").joined(vector("s9")).token(), "s9");
  EXPECT_EQ(vector("m5~2.9~3.7").clipped(StreamId{8}).token(), "m5~2.8~3.7");
  EXPECT_EQ(vector("m5~2.9").clipped(StreamId{3}).token(), "s3");
}

/// The slow and obvious form: one position for each of a few writers.
struct Model {
  std::vector<std::int64_t> of;

  static Model from(const PositionVector& vector) {
    Model model;
    for (std::int64_t writer = 1; writer <= 4; ++writer) {
      model.of.push_back(vector.of(InstanceKey{writer}).value);
    }
    // One that nobody ever names.
    model.of.push_back(vector.minimum().value);
    return model;
  }
  bool reaches(const Model& other) const {
    return std::ranges::equal(of, other.of, [](auto own, auto theirs) { return own >= theirs; });
  }
};

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound));
  }
  PositionVector vector() {
    PositionVector::Ahead ahead;
    for (std::int64_t writer = 1; writer <= 4; ++writer) {
      if (below(2) == 0) ahead.emplace(writer, below(8));
    }
    return {StreamId{below(6)}, std::move(ahead)};
  }

 private:
  std::mt19937_64 random_;
};

TEST(PositionVector, agrees_with_one_position_for_each_writer) {
  Draw draw(20261121);
  for (int i = 0; i < 200'000; ++i) {
    const PositionVector a = draw.vector();
    const PositionVector b = draw.vector();
    const Model model_a = Model::from(a);
    const Model model_b = Model::from(b);
    ASSERT_EQ(PositionVector::parse(a.token()).value(), a);
    // Entries of a writer that nobody names are its minimum, so that equality of texts is stricter
    // than equality of positions only there.
    ASSERT_EQ(a.reaches(b), model_a.reaches(model_b)) << a.token() << " " << b.token();

    const PositionVector joined = a.joined(b);
    ASSERT_TRUE(joined.reaches(a) && joined.reaches(b));
    const Model model_joined = Model::from(joined);
    for (std::size_t w = 0; w < model_a.of.size(); ++w) {
      ASSERT_EQ(model_joined.of[w], std::max(model_a.of[w], model_b.of[w]));
    }
    const std::int64_t most = draw.below(9);
    const Model clipped = Model::from(a.clipped(StreamId{most}));
    for (std::size_t w = 0; w < model_a.of.size(); ++w) {
      ASSERT_EQ(clipped.of[w], std::min(model_a.of[w], most));
    }
  }
}

}  // namespace
}  // namespace postrider
