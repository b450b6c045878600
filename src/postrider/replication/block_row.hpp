#pragma once

#include <string>
#include <string_view>

#include "postrider/base/result.hpp"
#include "postrider/store/blocks.hpp"

namespace postrider {

/// The row of an RDATA command: one block of a commit, as JSON.
struct BlockRow {
  StreamId previous;          ///< position of the writer before the commit
  SessionKey newest_session;  ///< that had begun, as far as the writer knew
  std::int64_t index = 0;     ///< of the block in its commit
  std::int64_t count = 0;     ///< blocks of the commit
  Block block;
};

/// `[previous,session,index,count,first,last,facts,milliseconds,"codec",raw bytes,"base64"]`
std::string format_block_row(const BlockRow& row);
/// Errors: `invalid_argument`. The writer of the block is not in the row. Any thread.
Result<BlockRow> parse_block_row(std::string_view text);

}  // namespace postrider
