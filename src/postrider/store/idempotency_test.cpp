#include "postrider/store/idempotency.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class KeyedAppends : public StoreTest {
 protected:
  void insert(const std::string& key, std::int64_t created_ms, StreamId first = StreamId{1},
              std::int64_t expired_before = 0, bool expected = true) {
    const KeyedAppend append{.key = key,
                             .body_digest = std::string(32, '\xff'),
                             .first = first,
                             .last = first.plus(2),
                             .fact_count = 3,
                             .created_at = wall_time(created_ms)};
    ASSERT_EQ(insert_keyed_append(*connection, stream, append, wall_time(expired_before)).value(),
              expected);
  }
  std::optional<KeyedAppend> find(std::string_view key, StreamKey in = stream) {
    return find_keyed_append(*connection, in, key).value();
  }
};

TEST_F(KeyedAppends, the_first_answer_is_found_under_its_key_and_stream_only) {
  insert("k", 5);
  const auto found = find("k");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, "k");
  EXPECT_EQ(found->body_digest, std::string(32, '\xff'));
  EXPECT_EQ(found->first, StreamId{1});
  EXPECT_EQ(found->last, StreamId{3});
  EXPECT_EQ(found->fact_count, 3);
  EXPECT_EQ(found->created_at, wall_time(5));
  EXPECT_FALSE(find("K"));
  EXPECT_FALSE(find("k", StreamKey{2}));
}

TEST_F(KeyedAppends, a_later_append_under_an_expired_key_takes_its_place) {
  insert("k", 5, StreamId{1});
  insert("k", 50, StreamId{10}, 5, false);
  EXPECT_EQ(find("k")->first, StreamId{1}) << "it has not expired";
  insert("k", 50, StreamId{10}, 6);
  EXPECT_EQ(find("k")->first, StreamId{10});
  EXPECT_EQ(find("k")->created_at, wall_time(50));
}

TEST_F(KeyedAppends, the_oldest_expire_first_and_no_more_than_asked_for) {
  insert("c", 30);
  insert("a", 10);
  insert("b", 20);
  EXPECT_EQ(expire_keyed_appends(*connection, wall_time(30), 1).value(), 1);
  EXPECT_FALSE(find("a"));
  EXPECT_TRUE(find("b"));
  EXPECT_EQ(expire_keyed_appends(*connection, wall_time(30), 10).value(), 1);
  EXPECT_FALSE(find("b"));
  EXPECT_TRUE(find("c"));
}

}  // namespace
}  // namespace postrider
