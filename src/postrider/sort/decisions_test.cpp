#include "postrider/sort/decisions.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "postrider/base/varint.hpp"

namespace postrider {

static bool operator==(const DecisionGroup& left, const DecisionGroup& right) {
  return left.services == right.services && left.positions == right.positions;
}

namespace {

constexpr StreamId last_id{std::numeric_limits<std::int64_t>::max()};

ServiceSet services(std::initializer_list<std::int64_t> keys) {
  ServiceSet set;
  for (const std::int64_t key : keys) set.emplace_back(key);
  return set;
}

std::vector<StreamId> ids(std::initializer_list<std::int64_t> positions) {
  std::vector<StreamId> ids;
  for (const std::int64_t position : positions) ids.emplace_back(position);
  return ids;
}

using Groups = std::vector<DecisionGroup>;

Result<Groups> unpack(StreamId after, std::string_view packed) {
  return unpack_decisions(after, last_id, packed);
}

const Groups two_groups = {{services({1, 2, 300}), ids({8, 9, 1000})},
                           {services({2}), ids({10, 5'000'000'000})}};

/// A byte for the format, and numbers.
std::string packed_of(std::initializer_list<std::uint64_t> numbers) {
  std::string packed(1, '\0');
  for (const std::uint64_t number : numbers) put_varint(packed, number);
  return packed;
}

void expect_damaged(StreamId after, std::string_view packed) {
  const auto unpacked = unpack(after, packed);
  ASSERT_FALSE(unpacked);
  EXPECT_EQ(unpacked.error().code, Code::storage_failed);
  EXPECT_EQ(unpacked.error().detail,
            fmt::format("the decisions on the facts after {} are damaged", after));
}

TEST(PackedDecisions, read_back_as_they_were_packed) {
  const std::string packed = pack_decisions(StreamId{7}, two_groups);
  EXPECT_EQ(unpack(StreamId{7}, packed).value(), two_groups);
}

TEST(PackedDecisions, of_no_facts_are_no_groups) {
  EXPECT_TRUE(unpack(StreamId{7}, pack_decisions(StreamId{7}, {})).value().empty());
}

TEST(PackedDecisions, name_the_services_that_many_facts_have_in_common_once) {
  DecisionGroup group;
  for (int i = 1; i <= 100; ++i) group.services.emplace_back(i);
  for (int i = 1; i <= 1000; ++i) group.positions.emplace_back(5'000'000'000 + i);
  const std::string packed = pack_decisions(StreamId{5'000'000'000}, {&group, 1});
  EXPECT_LT(packed.size(), 100U + 1000 + 10);
  EXPECT_EQ(unpack(StreamId{5'000'000'000}, packed).value(), Groups{group});
}

TEST(PackedDecisions, have_gaps_of_every_size) {
  DecisionGroup group{services({1}), ids({1})};
  for (int bits = 0; bits < 60; ++bits) {
    group.services.push_back(group.services.back().plus(1LL << bits));
    group.positions.push_back(group.positions.back().plus(1LL << bits));
  }
  const std::string packed = pack_decisions(StreamId{0}, {&group, 1});
  EXPECT_EQ(unpack(StreamId{0}, packed).value(), Groups{group});
}

TEST(PackedDecisions, that_were_cut_anywhere_are_refused) {
  const std::string packed = pack_decisions(StreamId{7}, two_groups);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    SCOPED_TRACE(size);
    expect_damaged(StreamId{7}, std::string_view(packed).substr(0, size));
  }
}

TEST(PackedDecisions, with_bytes_behind_them_are_refused) {
  for (const Groups& groups : {Groups{}, two_groups}) {
    const std::string packed = pack_decisions(StreamId{7}, groups);
    for (const char byte : {'\0', '\1', '\xff'}) expect_damaged(StreamId{7}, packed + byte);
    expect_damaged(StreamId{7}, packed + packed);
  }
}

TEST(PackedDecisions, of_another_format_are_refused) {
  std::string packed = pack_decisions(StreamId{7}, two_groups);
  packed[0] = '\1';
  expect_damaged(StreamId{7}, packed);
}

TEST(PackedDecisions, with_a_group_of_no_services_or_of_no_positions_are_refused) {
  ASSERT_TRUE(unpack(StreamId{0}, packed_of({1, 1, 0, 1, 0})));
  expect_damaged(StreamId{0}, packed_of({1, 0, 1, 0}));
  expect_damaged(StreamId{0}, packed_of({1, 1, 0, 0}));
  expect_damaged(StreamId{0}, packed_of({1, 0, 0}));
}

TEST(PackedDecisions, that_name_more_than_there_are_bytes_for_are_refused_at_once) {
  for (const std::uint64_t many : {std::uint64_t{100}, std::numeric_limits<std::uint64_t>::max()}) {
    expect_damaged(StreamId{0}, packed_of({many, 1, 0, 1, 0}));
    expect_damaged(StreamId{0}, packed_of({1, many, 0, 1, 0}));
    expect_damaged(StreamId{0}, packed_of({1, 1, 0, many, 0}));
  }
}

TEST(PackedDecisions, of_the_last_position_read_back_and_none_goes_beyond_it) {
  const Groups last = {{services({1, last_id.value}), {last_id}}};
  const StreamId before = last_id.plus(-1);
  EXPECT_EQ(unpack(before, pack_decisions(before, last)).value(), last);
  expect_damaged(before, packed_of({1, 1, 0, 1, 1}));
  expect_damaged(before, packed_of({1, 1, 0, 2, 0, 0}));
  expect_damaged(last_id, packed_of({1, 1, 0, 1, 0}));
}

TEST(PackedDecisions, with_distances_that_are_too_wide_are_refused) {
  constexpr std::uint64_t widest = std::numeric_limits<std::int64_t>::max() - 1;
  EXPECT_TRUE(unpack(StreamId{0}, packed_of({1, 1, widest, 1, widest})));
  for (const std::uint64_t wide :
       {widest + 1, widest + 2, std::numeric_limits<std::uint64_t>::max()}) {
    expect_damaged(StreamId{0}, packed_of({1, 1, wide, 1, 0}));
    expect_damaged(StreamId{0}, packed_of({1, 1, 0, 1, wide}));
  }
}

TEST(PackedDecisions, on_facts_behind_the_end_of_their_row_are_refused) {
  const std::string packed = pack_decisions(StreamId{7}, two_groups);
  EXPECT_TRUE(unpack_decisions(StreamId{7}, StreamId{5'000'000'000}, packed));
  EXPECT_FALSE(unpack_decisions(StreamId{7}, StreamId{4'999'999'999}, packed));
  EXPECT_FALSE(unpack_decisions(StreamId{7}, StreamId{6}, packed));
}

TEST(PackedDecisions, that_name_a_fact_twice_are_refused) {
  Groups groups = two_groups;
  groups[1].positions = ids({10, 1000});
  expect_damaged(StreamId{7}, pack_decisions(StreamId{7}, groups));
  groups[1].positions = ids({10, 1001});
  EXPECT_TRUE(unpack(StreamId{7}, pack_decisions(StreamId{7}, groups)));
}

TEST(DecisionGroups, gather_the_facts_that_the_same_services_get) {
  DecisionGroups gathered;
  gathered.add(StreamId{3}, services({1, 2}));
  gathered.add(StreamId{4}, services({1, 2}));
  gathered.add(StreamId{5}, services({2}));
  gathered.add(StreamId{7}, services({1, 2}));
  gathered.add(StreamId{9}, services({2}));
  const Groups expected = {{services({1, 2}), ids({3, 4, 7})}, {services({2}), ids({5, 9})}};
  EXPECT_EQ(Groups(gathered.groups().begin(), gathered.groups().end()), expected);
}

TEST(DecisionGroups, of_nothing_are_none) {
  EXPECT_TRUE(DecisionGroups{}.groups().empty());
}

TEST(PositionsOfAService, are_those_of_all_its_groups_in_order) {
  const Groups groups = {{services({1, 2}), ids({3, 4, 7})},
                         {services({2}), ids({5, 9})},
                         {services({2, 3}), ids({1, 8})}};
  EXPECT_EQ(positions_of(ServiceKey{1}, groups), ids({3, 4, 7}));
  EXPECT_EQ(positions_of(ServiceKey{2}, groups), ids({1, 3, 4, 5, 7, 8, 9}));
  EXPECT_EQ(positions_of(ServiceKey{3}, groups), ids({1, 8}));
  EXPECT_EQ(positions_of(ServiceKey{4}, groups), ids({}));
}

Result<std::vector<StreamId>> unpack_of(std::int64_t service, std::string_view packed) {
  return unpack_positions_of(ServiceKey{service}, StreamId{7}, last_id, packed);
}

TEST(PositionsOfAService, are_unpacked_without_those_of_others) {
  const Groups groups = {{services({1, 2, 300}), ids({10, 11, 1000})},
                         {services({2}), ids({12, 5'000'000'000})},
                         {services({2, 300}), ids({8, 15})}};
  const std::string packed = pack_decisions(StreamId{7}, groups);
  for (const std::int64_t service : {1, 2, 3, 299, 300, 301}) {
    EXPECT_EQ(unpack_of(service, packed).value(), positions_of(ServiceKey{service}, groups));
  }
  EXPECT_EQ(unpack_of(1, pack_decisions(StreamId{7}, {})).value(), ids({}));
}

TEST(PositionsOfAService, of_damaged_decisions_are_refused) {
  const std::string packed = pack_decisions(StreamId{7}, two_groups);
  for (const std::int64_t service : {1, 2, 3}) {
    for (std::size_t length = 0; length < packed.size(); ++length) {
      EXPECT_FALSE(unpack_of(service, packed.substr(0, length))) << length;
    }
    EXPECT_FALSE(unpack_of(service, packed + '\0'));
    EXPECT_FALSE(unpack_of(service, '\1' + packed.substr(1)));
  }
  EXPECT_FALSE(unpack_positions_of(ServiceKey{2}, StreamId{7}, StreamId{4'999'999'999}, packed));
  EXPECT_FALSE(unpack_positions_of(ServiceKey{2}, StreamId{7}, StreamId{6}, packed));
  Groups twice = two_groups;
  twice[1].positions = ids({10, 1000});
  EXPECT_FALSE(unpack_of(2, pack_decisions(StreamId{7}, twice)));
}

}  // namespace
}  // namespace postrider
