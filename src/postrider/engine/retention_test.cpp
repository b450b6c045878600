#include "postrider/engine/retention.hpp"

#include "postrider/store/blocks.hpp"
#include "postrider/store/decisions.hpp"
#include "postrider/store/inbox.hpp"
#include "postrider/store/services.hpp"
#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class RetentionTest : public StreamWorld {
 protected:
  void append(int commits, int facts_each = 1) {
    for (int i = 0; i < commits; ++i) {
      ASSERT_TRUE(run(stream->append(facts(*stream, facts_each), std::nullopt)));
    }
    if (are_sorted) stream->set_sorted({stream->linear_position()});
  }

  void sweep() { ASSERT_TRUE(run(retention.sweep())); }

  std::int64_t stored_facts() {
    std::int64_t count = 0;
    const auto blocks = read_blocks(*reader, stream->key(), StreamId{0}, 1000).value();
    for (const Block& block : blocks) {
      count += block.fact_count;
    }
    return count;
  }

  ServiceKey need_from(StreamId first_id) {
    const ServiceRow row{
        .key = {}, .id = "a", .kind = "plain", .document = "{}", .transaction_prefix = "1"};
    const ServiceKey service = insert_service(*writer, row, runtime.wall_now()).value();
    const InboxBlock block{.first = first_id,
                           .last = first_id,
                           .fact_count = 1,
                           .appended_at = runtime.wall_now(),
                           .positions = {}};
    EXPECT_TRUE(insert_inbox_block(*writer, service, stream->key(), block));
    return service;
  }

  bool are_sorted = true;
  Stream* stream = only_stream(open_stream({.retain = hours{1}}));
  prometheus::Counter facts_dropped;
  Retention retention{runtime,  *committer, Reader{lane, *reader},
                      *streams, hours{24},  facts_dropped};
};

TEST_F(RetentionTest, facts_go_when_they_are_older_than_their_stream_keeps_them) {
  append(2);
  runtime.run_for(minutes{30});
  append(1);
  sweep();
  EXPECT_EQ(stored_facts(), 3);
  runtime.run_for(minutes{31});
  sweep();
  EXPECT_EQ(stored_facts(), 1);
  EXPECT_EQ(facts_dropped.Value(), 2);
  EXPECT_EQ(stream->dropped_through(), StreamId{2});
}

TEST_F(RetentionTest, facts_that_a_service_still_needs_stay_however_old) {
  append(5);
  const ServiceKey service = need_from(StreamId{3});
  runtime.run_for(hours{1000});
  sweep();
  EXPECT_EQ(stored_facts(), 3);
  ASSERT_TRUE(drop_inbox_blocks(*writer, service, stream->key(), StreamId{3}));
  sweep();
  EXPECT_EQ(stored_facts(), 0);
}

TEST_F(RetentionTest, facts_stay_until_the_decisions_on_them_are_folded) {
  append(5);
  const DecisionRow row{.after = StreamId{2},
                        .through = StreamId{4},
                        .entries = 1,
                        .appended_at = runtime.wall_now(),
                        .data = {}};
  ASSERT_TRUE(insert_decisions(*writer, stream->key(), row));
  runtime.run_for(hours{1000});
  sweep();
  EXPECT_EQ(stored_facts(), 3);
  ASSERT_TRUE(fold_decisions(*writer, stream->key(), StreamId{4}));
  sweep();
  EXPECT_EQ(stored_facts(), 0);
}

TEST_F(RetentionTest, facts_that_are_not_sorted_stay_however_old) {
  are_sorted = false;
  append(5);
  stream->set_sorted({StreamId{2}});
  runtime.run_for(hours{1000});
  sweep();
  EXPECT_EQ(stored_facts(), 3);
}

TEST_F(RetentionTest, a_commit_of_facts_goes_as_a_whole_or_not_at_all) {
  append(1, 10);
  need_from(StreamId{10});
  runtime.run_for(hours{2});
  sweep();
  EXPECT_EQ(stored_facts(), 10);
}

TEST_F(RetentionTest, much_goes_in_small_steps_with_a_commit_each) {
  append(100);
  runtime.run_for(hours{2});
  const int before = writer->commits;
  sweep();
  EXPECT_EQ(stored_facts(), 0);
  EXPECT_EQ(writer->commits - before, 5);  // 32, 32, 32, 4, and the idempotency keys
}

TEST_F(RetentionTest, ids_are_not_given_out_again_after_everything_is_gone) {
  append(3);
  runtime.run_for(hours{2});
  sweep();
  EXPECT_EQ(read_streams(*reader).value()[0].dropped_through, StreamId{3});
  append(1);
  EXPECT_EQ(stream->linear_position(), StreamId{4});
}

TEST_F(RetentionTest, a_reader_of_what_is_gone_is_told_so) {
  append(3);
  runtime.run_for(hours{2});
  sweep();
  const auto gone = run(stream->read(StreamId{0}, 10, Stream::WithAttributes::no));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::position_gone);
}

TEST_F(RetentionTest, idempotency_keys_go_after_their_time) {
  const auto append_keyed = [this] {
    return run(stream->append(facts(*stream, 1), IdempotencyKey{"k", std::string(32, 'd')}))
        .value();
  };
  EXPECT_FALSE(append_keyed().repeated);
  runtime.run_for(hours{23});
  sweep();
  EXPECT_TRUE(append_keyed().repeated);
  runtime.run_for(hours{2});
  sweep();
  EXPECT_FALSE(find_keyed_append(*reader, stream->key(), "k").value());
}

TEST_F(RetentionTest, sweeps_by_itself_until_it_is_stopped_and_after_a_full_disk) {
  append(1);
  retention.start();
  writer->fail_commits = true;
  runtime.run_for(hours{2});
  EXPECT_EQ(stored_facts(), 1);
  writer->fail_commits = false;
  runtime.run_for(minutes{2});
  EXPECT_EQ(stored_facts(), 0);
  const MonoTime before = runtime.now();
  run(retention.stop());
  EXPECT_EQ(runtime.now(), before);
}

}  // namespace
}  // namespace postrider
