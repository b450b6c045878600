#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// Positions of one stream that one service is to get, from one commit of the sorter.
struct InboxBlock {
  InboxSeq first_seq;
  InboxSeq last_seq;
  StreamKey stream;
  StreamId first_id;
  WallTime appended_at{};  ///< of the oldest fact in it
  std::string positions;   ///< packed by sort/positions
};

/// Changes nothing when the service is gone: its deletion won.
Result<void> insert_inbox_block(SqlConnection& connection, ServiceKey service,
                                const InboxBlock& block);
/// Blocks with entries after `after`, in order, at most `count_max`.
Result<std::vector<InboxBlock>> read_inbox_blocks(SqlConnection& connection, ServiceKey service,
                                                  InboxSeq after, std::int64_t count_max);
/// Deletes the blocks that hold nothing after `through`.
Result<void> drop_inbox_blocks(SqlConnection& connection, ServiceKey service, InboxSeq through);

struct InboxEnd {
  ServiceKey service;
  InboxSeq last_seq;
  WallTime oldest_appended_at{};
};
/// The ends of every inbox that holds a block.
Result<std::vector<InboxEnd>> read_inbox_ends(SqlConnection& connection);

/// The smallest position of the stream that some inbox may still need; empty when none does.
Result<std::optional<StreamId>> oldest_needed(SqlConnection& connection, StreamKey stream);

}  // namespace postrider
