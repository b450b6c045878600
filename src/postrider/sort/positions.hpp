#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/base/strong.hpp"
#include "postrider/store/inbox.hpp"

namespace postrider {

// The packed positions of an inbox block. This pair of files is the only one that reads and writes
// them. `first_id` stands in the clear beside them; the rest is one varint for each further
// position, its distance from the one before less one: a byte for each fact in a dense inbox.

/// Adds a position, which follows `last`, to packed ones.
void append_position(std::string& packed, StreamId last, StreamId next);

/// `positions` rise strictly and are not empty.
std::string pack_positions(std::span<const StreamId> positions);

/// `count`: how many positions the block holds. Fails with `storage_failed` when the bytes are not
/// exactly that many.
Result<std::vector<StreamId>> unpack_positions(StreamId first_id, std::int64_t count,
                                               std::string_view packed);

/// Those of a block. Fails too when the last one is another than the block says.
Result<std::vector<StreamId>> positions_in(const InboxBlock& block);

}  // namespace postrider
