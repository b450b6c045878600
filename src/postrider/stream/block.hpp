#pragma once

#include <span>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/stream/fact_batch.hpp"

namespace postrider {

/// A block holds at most this many payload bytes, unless its only fact is larger.
inline constexpr std::size_t block_payload_bytes_max = 1U << 20;

// The packed form, before compression (every number a varint). This pair of files is the only one
// that reads and writes it.
//
//     block   = run-count *run *length *payload
//     run     = gap count          ; IDs skipped since the run before (first: since first_id)
//     length  = bytes of one payload, for all facts of all runs in order
//     payload = its bytes

/// Packs chunks, in order of ID, into as many blocks as needed. Compresses from 1 KiB on, where it
/// saves an eighth or more, and gives each its checksum. Any thread.
std::vector<Block> pack_blocks(std::span<const Chunk> chunks);

/// The facts of a block, without keys. Fails with `storage_failed` when the bytes are not a block,
/// or another one than the checksum is of. Any thread.
Result<std::vector<Chunk>> unpack_block(const Block& block);

}  // namespace postrider
