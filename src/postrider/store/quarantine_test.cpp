#include "postrider/store/quarantine.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class QuarantineStore : public StoreTest {
 protected:
  static QuarantineRow row_of(StreamId first, StreamId last, const std::string& cause = "damaged") {
    return {
        .stream = stream, .ids = {first, last}, .cause = cause, .found_at = wall_time(1'000'000)};
  }
  std::vector<IdRange> stored() {
    std::vector<IdRange> ranges;
    const auto rows = read_quarantined(*connection, 10).value();
    for (const QuarantineRow& row : rows) ranges.push_back(row.ids);
    return ranges;
  }
};

TEST_F(QuarantineStore, an_entry_is_kept_as_it_was_found_first) {
  EXPECT_TRUE(insert_quarantined(*connection, row_of(StreamId{5}, StreamId{9})).value());
  EXPECT_FALSE(insert_quarantined(*connection, row_of(StreamId{5}, StreamId{7}, "else")).value());
  EXPECT_TRUE(insert_quarantined(*connection, row_of(StreamId{6}, StreamId{6})).value());
  EXPECT_TRUE(insert_quarantined(*connection, row_of(StreamId{6}, StreamId{8}, "more")).value());
  EXPECT_EQ(stored().back(), (IdRange{StreamId{6}, StreamId{8}}));
  ASSERT_TRUE(delete_quarantined(*connection, stream, StreamId{6}).value());
  const auto found = find_quarantined(*connection, stream, StreamId{5}).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ids, (IdRange{StreamId{5}, StreamId{9}}));
  EXPECT_EQ(found->cause, "damaged");
  EXPECT_EQ(found->found_at, wall_time(1'000'000));
  EXPECT_FALSE(find_quarantined(*connection, stream, StreamId{6}).value());
}

TEST_F(QuarantineStore, is_read_in_order_and_in_part) {
  for (const std::int64_t first : {7, 3, 5}) {
    ASSERT_TRUE(insert_quarantined(*connection, row_of(StreamId{first}, StreamId{first})).value());
  }
  const auto rows = read_quarantined(*connection, 2).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].ids.first, StreamId{3});
  EXPECT_EQ(rows[1].ids.first, StreamId{5});
}

TEST_F(QuarantineStore, an_entry_is_deleted_once) {
  ASSERT_TRUE(insert_quarantined(*connection, row_of(StreamId{5}, StreamId{9})).value());
  EXPECT_FALSE(delete_quarantined(*connection, stream, StreamId{6}).value());
  EXPECT_TRUE(delete_quarantined(*connection, stream, StreamId{5}).value());
  EXPECT_FALSE(delete_quarantined(*connection, stream, StreamId{5}).value());
}

TEST_F(QuarantineStore, entries_go_with_the_last_of_their_facts) {
  ASSERT_TRUE(insert_quarantined(*connection, row_of(StreamId{1}, StreamId{4})).value());
  ASSERT_TRUE(insert_quarantined(*connection, row_of(StreamId{5}, StreamId{9})).value());
  ASSERT_TRUE(
      transact(*connection, [&] { return expire_quarantined(*connection, stream, StreamId{8}); }));
  EXPECT_EQ(stored(), (std::vector{IdRange{StreamId{5}, StreamId{9}}}));
}

}  // namespace
}  // namespace postrider
