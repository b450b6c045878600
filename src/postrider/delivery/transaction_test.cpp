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

  static std::vector<StreamId> positions(const std::vector<std::int64_t>& numbers) {
    return {numbers.begin(), numbers.end()};
  }

  Result<Transaction> read(const std::vector<std::int64_t>& numbers,
                           TransactionLimits limits = {.facts_max = 100, .bytes_max = 1 << 20}) {
    return run(read_transaction(*stream, positions(numbers), limits));
  }
  Result<Transaction> read(const std::vector<std::int64_t>& numbers, std::size_t bytes_max) {
    return read(numbers, {.facts_max = 100, .bytes_max = bytes_max});
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
  EXPECT_EQ(transaction.first, StreamId{1});
  EXPECT_EQ(transaction.last, StreamId{5});
  EXPECT_EQ(transaction.appended_at.size(), 3U);
}

TEST_F(ReadTransaction, ends_before_the_fact_that_would_go_over_the_byte_limit) {
  append(3);
  const std::size_t fact_bytes = fact(1).size();
  EXPECT_EQ(facts_of(read({1, 2, 3}, 2 * fact_bytes).value()), facts_of({1, 2}));
  EXPECT_EQ(facts_of(read({1, 2, 3}, 2 * fact_bytes - 1).value()), facts_of({1}));
}

TEST_F(ReadTransaction, ends_with_the_fact_that_reaches_the_limit_of_facts) {
  append(2);
  append(2);
  for (const std::size_t facts_max : {1U, 2U, 3U}) {
    const auto transaction = read({1, 2, 4}, {.facts_max = facts_max}).value();
    EXPECT_EQ(transaction.payloads.size(), facts_max);
    EXPECT_EQ(transaction.appended_at.size(), facts_max);
  }
  EXPECT_EQ(read({1, 2, 4}, {.facts_max = 2}).value().last, StreamId{2});
  EXPECT_EQ(read({1, 2, 4}, {.facts_max = 3}).value().last, StreamId{4});
}

TEST_F(ReadTransaction, says_when_each_fact_was_appended) {
  append(1);
  const WallTime first = runtime.wall_now();
  runtime.run_for(std::chrono::seconds{5});
  append(2);
  const auto transaction = read({1, 3}).value();
  EXPECT_EQ(transaction.appended_at,
            (std::vector<WallTime>{first, first + std::chrono::seconds{5}}));
}

TEST_F(ReadTransaction, begins_anywhere_and_leaves_out_what_is_not_asked_for) {
  append(3);
  append(3);
  const auto transaction = read({2, 6}).value();
  EXPECT_EQ(facts_of(transaction), facts_of({2, 6}));
  EXPECT_EQ(transaction.first, StreamId{2});
  EXPECT_EQ(transaction.last, StreamId{6});
}

TEST_F(ReadTransaction, a_fact_over_the_byte_limit_goes_alone) {
  append(2);
  const auto transaction = read({1, 2}, 1).value();
  EXPECT_EQ(facts_of(transaction), facts_of({1}));
  EXPECT_EQ(transaction.first, StreamId{1});
  EXPECT_EQ(transaction.last, StreamId{1});
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

TEST_F(ReadTransaction, a_fact_that_the_stream_does_not_have_is_an_error) {
  append(1);
  const auto missing = read({1, 2});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::storage_failed);
  EXPECT_NE(missing.error().detail.find("fact 2 of stream \"events\""), std::string::npos);
}

}  // namespace
}  // namespace postrider
