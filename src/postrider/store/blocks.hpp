#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// The facts of one commit and one stream. `data` is packed by stream/block.
struct Block {
  StreamId first;
  StreamId last;
  std::int64_t fact_count = 0;
  WallTime appended_at{};
  std::string codec;           ///< "raw" or "zstd"
  std::int64_t raw_bytes = 0;  ///< length of `data` when decompressed
  std::string data;
  InstanceKey writer;
  /// Of all members above but `writer`; empty in what was stored before there were any.
  std::optional<std::int64_t> checksum;
};

Result<void> insert_block(SqlConnection& connection, StreamKey stream, const Block& block);

/// Blocks that hold facts after `after`, in order, at most `count_max` of them.
Result<std::vector<Block>> read_blocks(SqlConnection& connection, StreamKey stream, StreamId after,
                                       std::int64_t count_max);

/// The largest ID that is stored; empty when no block is.
Result<std::optional<StreamId>> last_stored_id(SqlConnection& connection, StreamKey stream);

/// The largest ID of the blocks that end before `id`; 0 when none does.
Result<StreamId> last_stored_before(SqlConnection& connection, StreamKey stream, StreamId id);

/// Who appended the fact; empty when it is not stored.
Result<std::optional<InstanceKey>> find_writer(SqlConnection& connection, StreamKey stream,
                                               StreamId fact);

struct DroppedBlocks {
  std::int64_t count = 0;
  StreamId last;  ///< the largest ID that was dropped
};

/// Deletes up to `count_max` of the oldest blocks whose facts are all below `below` and that were
/// appended before `appended_before`.
Result<DroppedBlocks> drop_blocks(SqlConnection& connection, StreamKey stream, StreamId below,
                                  WallTime appended_before, std::int64_t count_max);

}  // namespace postrider
