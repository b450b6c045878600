#include "postrider/delivery/inbox.hpp"

#include <gtest/gtest.h>

#include "postrider/sort/positions.hpp"

namespace postrider {
namespace {

/// Holds `count` consecutive positions from `first_id` on.
InboxBlock block_of(std::int64_t first_seq, std::int64_t count, std::int64_t first_id) {
  std::vector<StreamId> ids;
  for (std::int64_t i = 0; i < count; ++i) ids.emplace_back(first_id + i);
  return {.first_seq = InboxSeq{first_seq},
          .last_seq = InboxSeq{first_seq + count - 1},
          .stream = StreamKey{1},
          .first_id = StreamId{first_id},
          .appended_at = wall_time(first_id),
          .positions = pack_positions(ids)};
}

std::vector<std::int64_t> ids_of(const std::vector<InboxEntry>& entries) {
  std::vector<std::int64_t> ids;
  for (const InboxEntry& entry : entries) ids.push_back(entry.id.value);
  return ids;
}

TEST(Inbox, a_slice_crosses_blocks_and_begins_after_what_was_acknowledged) {
  Inbox inbox({}, {}, std::nullopt);
  inbox.add(block_of(1, 3, 10));
  inbox.add(block_of(4, 2, 50));
  EXPECT_EQ(ids_of(inbox.slice(4).value()), (std::vector<std::int64_t>{10, 11, 12, 50}));
  inbox.acknowledge(InboxSeq{2});
  EXPECT_EQ(ids_of(inbox.slice(4).value()), (std::vector<std::int64_t>{12, 50, 51}));
  EXPECT_EQ(inbox.behind(), 3);
}

TEST(Inbox, what_was_forgotten_must_be_read_before_it_can_be_sliced) {
  Inbox inbox({}, {}, std::nullopt);
  inbox.add(block_of(1, 3, 10));
  inbox.forget_window();
  inbox.add(block_of(4, 1, 20));
  EXPECT_TRUE(inbox.needs_blocks(10));
  EXPECT_EQ(inbox.window_end(), InboxSeq{0});
  inbox.extend({block_of(1, 3, 10), block_of(4, 1, 20)});
  EXPECT_FALSE(inbox.needs_blocks(10));
  inbox.add(block_of(5, 1, 30));
  EXPECT_EQ(ids_of(inbox.slice(10).value()), (std::vector<std::int64_t>{10, 11, 12, 20, 30}));
}

TEST(Inbox, the_window_is_bounded_and_the_rest_is_asked_for) {
  Inbox inbox({}, {}, std::nullopt);
  std::int64_t seq = 1;
  for (int i = 0; i < 2000; ++i, ++seq) inbox.add(block_of(seq, 1, seq));
  EXPECT_LT(inbox.window_end(), InboxSeq{2000});
  EXPECT_EQ(inbox.behind(), 2000);
  EXPECT_FALSE(inbox.needs_blocks(1));
  inbox.acknowledge(inbox.window_end());
  EXPECT_TRUE(inbox.needs_blocks(1));
}

TEST(Inbox, knows_since_when_its_oldest_entry_waits) {
  Inbox inbox({}, {}, std::nullopt);
  EXPECT_EQ(inbox.oldest_appended_at(), std::nullopt);
  inbox.add(block_of(1, 1, 10));
  inbox.add(block_of(2, 1, 20));
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(10));
  inbox.acknowledge(InboxSeq{1});
  EXPECT_EQ(inbox.oldest_appended_at(), wall_time(20));
  inbox.acknowledge(InboxSeq{2});
  EXPECT_EQ(inbox.oldest_appended_at(), std::nullopt);
}

}  // namespace
}  // namespace postrider
