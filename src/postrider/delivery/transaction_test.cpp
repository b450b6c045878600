#include "postrider/delivery/transaction.hpp"

#include "postrider/store/blocks.hpp"
#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {
namespace {

class ReadTransaction : public StreamWorld {
 protected:
  void append(int count) {
    ASSERT_TRUE(run(stream->append(facts(*stream, count, next_), std::nullopt)));
    next_ += count;
  }

  std::vector<InboxEntry> entries(const std::vector<std::int64_t>& ids) const {
    std::vector<InboxEntry> entries;
    for (const std::int64_t id : ids) {
      entries.push_back({InboxSeq{std::ssize(entries) + 1}, stream->key(), StreamId{id}});
    }
    return entries;
  }

  Result<Transaction> read(const std::vector<std::int64_t>& ids, std::size_t bytes_max = 1 << 20) {
    return run(
        read_transaction(*streams, entries(ids), {.facts_max = 100, .bytes_max = bytes_max}));
  }

  static std::string fact(int n) {
    return fmt::format(R"({{"type":"t","sender":"@a:x","room_id":"!r","n":{}}})", n);
  }
  static std::vector<std::string> facts_of(const std::vector<int>& numbers) {
    std::vector<std::string> texts;
    for (const int n : numbers) texts.push_back(fact(n));
    return texts;
  }
  static std::vector<std::string> facts_of(const Transaction& transaction) {
    return {transaction.payloads.begin(), transaction.payloads.end()};
  }

  Stream* stream = only_stream(open_stream());

 private:
  int next_ = 1;
};

TEST_F(ReadTransaction, joins_the_payloads_byte_for_byte_across_commits) {
  append(2);
  append(3);
  const auto transaction = read({1, 3, 5}).value();
  EXPECT_EQ(facts_of(transaction), facts_of({1, 3, 5}));
  EXPECT_EQ(transaction.stream, "events");
  EXPECT_EQ(transaction.first_id, StreamId{1});
  EXPECT_EQ(transaction.last_id, StreamId{5});
  EXPECT_EQ(transaction.last, InboxSeq{3});
  EXPECT_EQ(transaction.appended_at.size(), 3U);
}

TEST_F(ReadTransaction, ends_before_the_fact_that_would_go_over_the_byte_limit) {
  append(3);
  const std::size_t fact_bytes = fact(1).size();
  EXPECT_EQ(facts_of(read({1, 2, 3}, 2 * fact_bytes).value()), facts_of({1, 2}));
  EXPECT_EQ(facts_of(read({1, 2, 3}, 2 * fact_bytes - 1).value()), facts_of({1}));
}

TEST_F(ReadTransaction, a_fact_over_the_byte_limit_goes_alone) {
  append(2);
  const auto transaction = read({1, 2}, 1).value();
  EXPECT_EQ(facts_of(transaction), facts_of({1}));
  EXPECT_EQ(transaction.last, InboxSeq{1});
}

TEST_F(ReadTransaction, is_the_same_from_memory_and_from_disk) {
  append(250);
  const std::vector<std::int64_t> ids = {1, 100, 101, 249, 250};
  const auto from_memory = facts_of(read(ids).value());
  stream = only_stream(open_stream({}, StreamId{250}));
  EXPECT_EQ(facts_of(read(ids).value()), from_memory);
}

TEST_F(ReadTransaction, a_fact_that_is_gone_is_an_error_and_not_a_gap) {
  append(1);
  append(1);
  ASSERT_TRUE(drop_blocks(*writer, stream->key(), StreamId{2},
                          runtime.wall_now() + std::chrono::hours{1}, 9));
  stream = only_stream(open_stream({}, StreamId{2}));
  const auto missing = read({1, 2});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::storage_failed);
  EXPECT_NE(missing.error().detail.find("fact 1 of stream \"events\""), std::string::npos);
}

TEST_F(ReadTransaction, of_one_stream_ends_where_another_begins) {
  append(3);
  auto mixed = entries({1, 2, 3});
  mixed[2].stream = StreamKey{stream->key().value + 1};
  const auto first = run(read_transaction(*streams, mixed, {.one_stream = true})).value();
  EXPECT_EQ(facts_of(first), facts_of({1, 2}));
  EXPECT_EQ(first.last, InboxSeq{2});
}

TEST_F(ReadTransaction, an_unknown_stream_is_an_error) {
  append(1);
  const auto unknown = entries({1});
  streams = make_streams();
  const auto none = run(read_transaction(*streams, unknown, {}));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::storage_failed);
}

}  // namespace
}  // namespace postrider
