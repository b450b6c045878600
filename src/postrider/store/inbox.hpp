#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/store/cursors.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

// What a service is still to get of a stream, as far as compaction has folded the decisions that
// say so. What is not folded yet stands in the log of decisions.

/// Positions of one stream that one service is to get.
struct InboxBlock {
  StreamId first;
  StreamId last;
  std::int64_t fact_count = 0;
  WallTime appended_at{};  ///< of the oldest fact in it
  std::string positions;   ///< packed by sort/positions
};

/// Changes nothing when the service is gone: its deletion won.
Result<void> insert_inbox_block(SqlConnection& connection, ServiceKey service, StreamKey stream,
                                const InboxBlock& block);
/// Blocks with positions after `after`, in order, at most `count_max`.
Result<std::vector<InboxBlock>> read_inbox_blocks(SqlConnection& connection, ServiceKey service,
                                                  StreamKey stream, StreamId after,
                                                  std::int64_t count_max);
/// The last block of each of the services, of those that have fewer facts than `fact_count_below`.
Result<std::map<ServiceKey, InboxBlock>> last_inbox_blocks(SqlConnection& connection,
                                                           StreamKey stream,
                                                           const ServiceRange& services,
                                                           std::int64_t fact_count_below);
Result<void> drop_inbox_block(SqlConnection& connection, ServiceKey service, StreamKey stream,
                              StreamId last);
/// Deletes the blocks that hold nothing after `through`.
Result<void> drop_inbox_blocks(SqlConnection& connection, ServiceKey service, StreamKey stream,
                               StreamId through);

struct InboxEnd {
  ServiceKey service;
  StreamKey stream;
  std::int64_t fact_count = 0;  ///< in all blocks; some of the first may be acknowledged
  WallTime oldest_appended_at{};
};
/// Of every inbox that holds a block.
Result<std::vector<InboxEnd>> read_inbox_ends(SqlConnection& connection);

/// A block that its service has acknowledged in part.
struct BegunInboxBlock {
  ServiceKey service;
  StreamKey stream;
  StreamId acknowledged;
  InboxBlock block;
};
/// Of all services and streams: at most one of each pair.
Result<std::vector<BegunInboxBlock>> read_begun_inbox_blocks(SqlConnection& connection);

/// The smallest position of the stream that some service may still need, by inbox blocks or by
/// decisions that are not folded yet; empty when none does.
Result<std::optional<StreamId>> oldest_needed(SqlConnection& connection, StreamKey stream);

}  // namespace postrider
