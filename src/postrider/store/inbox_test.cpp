#include "postrider/store/inbox.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class StoredInbox : public StoreTest {
 protected:
  void insert(ServiceKey service, const InboxBlock& block) {
    ASSERT_TRUE(insert_inbox_block(*connection, service, block));
  }
  std::vector<InboxSeq> first_seqs(ServiceKey service, InboxSeq after, std::int64_t max = 10) {
    std::vector<InboxSeq> seqs;
    const auto blocks = read_inbox_blocks(*connection, service, after, max).value();
    for (const auto& block : blocks) {
      seqs.push_back(block.first_seq);
    }
    return seqs;
  }

  ServiceKey a = add_service("a");
  ServiceKey b = add_service("b");
};

TEST_F(StoredInbox, a_block_reads_back_as_it_was_written) {
  insert(a, inbox_block_of(InboxSeq{1}, InboxSeq{3}, StreamId{7}, wall_time(99)));
  const auto blocks = read_inbox_blocks(*connection, a, InboxSeq{0}, 10).value();
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].first_seq, InboxSeq{1});
  EXPECT_EQ(blocks[0].last_seq, InboxSeq{3});
  EXPECT_EQ(blocks[0].stream, stream);
  EXPECT_EQ(blocks[0].first_id, StreamId{7});
  EXPECT_EQ(blocks[0].appended_at, wall_time(99));
  EXPECT_EQ(blocks[0].positions, std::string("\0\1", 2));
}

TEST_F(StoredInbox, reading_begins_with_the_block_that_holds_the_next_entry) {
  insert(a, inbox_block_of(InboxSeq{1}, InboxSeq{3}, StreamId{1}));
  insert(a, inbox_block_of(InboxSeq{4}, InboxSeq{5}, StreamId{4}));
  insert(a, inbox_block_of(InboxSeq{6}, InboxSeq{6}, StreamId{6}));
  EXPECT_EQ(first_seqs(a, InboxSeq{2}, 2), (std::vector<InboxSeq>{InboxSeq{1}, InboxSeq{4}}));
  EXPECT_EQ(first_seqs(a, InboxSeq{5}), (std::vector<InboxSeq>{InboxSeq{6}}));
  EXPECT_EQ(first_seqs(b, InboxSeq{0}), (std::vector<InboxSeq>{}));
}

TEST_F(StoredInbox, dropping_keeps_a_block_with_an_entry_that_is_still_needed) {
  insert(a, inbox_block_of(InboxSeq{1}, InboxSeq{3}, StreamId{1}));
  insert(b, inbox_block_of(InboxSeq{1}, InboxSeq{3}, StreamId{1}));
  ASSERT_TRUE(drop_inbox_blocks(*connection, a, InboxSeq{2}));
  EXPECT_EQ(first_seqs(a, InboxSeq{0}).size(), 1U);
  ASSERT_TRUE(drop_inbox_blocks(*connection, a, InboxSeq{3}));
  EXPECT_EQ(first_seqs(a, InboxSeq{0}).size(), 0U);
  EXPECT_EQ(first_seqs(b, InboxSeq{0}).size(), 1U);
}

TEST_F(StoredInbox, the_ends_name_the_last_entry_and_the_oldest_time_of_each_inbox) {
  insert(a, inbox_block_of(InboxSeq{1}, InboxSeq{3}, StreamId{1}, wall_time(20)));
  insert(a, inbox_block_of(InboxSeq{4}, InboxSeq{9}, StreamId{4}, wall_time(10)));
  const auto ends = read_inbox_ends(*connection).value();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].service, a);
  EXPECT_EQ(ends[0].last_seq, InboxSeq{9});
  EXPECT_EQ(ends[0].oldest_appended_at, wall_time(10));
}

TEST_F(StoredInbox, the_oldest_needed_position_is_the_smallest_of_all_inboxes_of_the_stream) {
  EXPECT_EQ(oldest_needed(*connection, stream).value(), std::nullopt);
  insert(a, inbox_block_of(InboxSeq{1}, InboxSeq{1}, StreamId{8}));
  insert(b, inbox_block_of(InboxSeq{1}, InboxSeq{1}, StreamId{5}));
  auto elsewhere = inbox_block_of(InboxSeq{2}, InboxSeq{2}, StreamId{1});
  elsewhere.stream = StreamKey{2};
  insert(b, elsewhere);
  EXPECT_EQ(oldest_needed(*connection, stream).value(), StreamId{5});
}

TEST_F(StoredInbox, an_inbox_block_of_a_deleted_service_is_not_stored) {
  ASSERT_TRUE(delete_service(*connection, a));
  insert(a, inbox_block_of(InboxSeq{1}, InboxSeq{1}, StreamId{1}));
  EXPECT_TRUE(read_inbox_ends(*connection).value().empty());
}

}  // namespace
}  // namespace postrider
