#include "postrider/stream/block.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <memory>
#include <optional>

#include <xxhash.h>
#include <zstd.h>

#include "postrider/base/assert.hpp"
#include "postrider/base/varint.hpp"

namespace postrider {
namespace {

constexpr int compression_level = 1;
// Of less, as of a fact that comes alone, compressing costs a third of the whole append and saves
// part of a page that is written anyway.
constexpr std::size_t compressed_bytes_min = 1024;
// Larger than any block that is written: one fact of the largest configurable size and its frame.
constexpr std::int64_t raw_bytes_max = 64LL << 20;
// What follows the last ID of a block has a number too.
constexpr StreamId last_id_max{std::numeric_limits<std::int64_t>::max() - 1};
constexpr std::string_view codec_raw = "raw";
constexpr std::string_view codec_zstd = "zstd";

struct Run {
  StreamId first;
  std::uint64_t count = 0;
};

/// Returns as many facts from the front of `chunk` as fit into `bytes_left`, at least `minimum`.
std::uint32_t fitting(const Chunk& chunk, std::size_t bytes_left, std::uint32_t minimum) {
  std::uint32_t count = 0;
  while (count < chunk.count) {
    const std::size_t length = chunk.batch->payload(chunk.begin + count).size();
    if (count >= minimum && length > bytes_left) break;
    bytes_left -= std::min(length, bytes_left);
    ++count;
  }
  return count;
}

std::size_t payload_bytes(const Chunk& chunk) {
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < chunk.count; ++i) {
    bytes += chunk.batch->payload(chunk.begin + i).size();
  }
  return bytes;
}

Chunk front(const Chunk& chunk, std::uint32_t count) {
  Chunk part = chunk;
  part.count = count;
  return part;
}

Chunk rest(const Chunk& chunk, std::uint32_t skipped) {
  Chunk part = chunk;
  part.first = chunk.first.plus(skipped);
  part.begin += skipped;
  part.count -= skipped;
  return part;
}

std::vector<Run> runs_of(std::span<const Chunk> chunks) {
  std::vector<Run> runs;
  for (const Chunk& chunk : chunks) {
    const bool follows =
        !runs.empty() &&
        runs.back().first.value + static_cast<std::int64_t>(runs.back().count) == chunk.first.value;
    if (follows) {
      runs.back().count += chunk.count;
    } else {
      runs.push_back({chunk.first, chunk.count});
    }
  }
  return runs;
}

std::string pack(std::span<const Chunk> chunks, std::size_t bytes) {
  std::string raw;
  const std::vector<Run> runs = runs_of(chunks);
  raw.reserve(bytes + bytes / 8 + 64);
  put_varint(raw, runs.size());
  StreamId expected = chunks.front().first;
  for (const Run& run : runs) {
    POSTRIDER_ASSERT(run.first >= expected, "run at {} before {}", run.first, expected);
    put_varint(raw, static_cast<std::uint64_t>(run.first.value - expected.value));
    put_varint(raw, run.count);
    expected = run.first.plus(static_cast<std::int64_t>(run.count));
  }
  for (const Chunk& chunk : chunks) {
    for (std::uint32_t i = 0; i < chunk.count; ++i) {
      put_varint(raw, chunk.batch->payload(chunk.begin + i).size());
    }
  }
  for (const Chunk& chunk : chunks) {
    for (std::uint32_t i = 0; i < chunk.count; ++i) raw += chunk.batch->payload(chunk.begin + i);
  }
  return raw;
}

std::optional<std::string> compress(std::string_view raw) {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                                  &ZSTD_freeCCtx);
  if (raw.size() < compressed_bytes_min) return std::nullopt;
  std::string packed;
  bool smaller = false;
  packed.resize_and_overwrite(ZSTD_compressBound(raw.size()), [&](char* data, std::size_t room) {
    const std::size_t size =
        ZSTD_compressCCtx(context.get(), data, room, raw.data(), raw.size(), compression_level);
    smaller = ZSTD_isError(size) == 0U && size <= raw.size() - raw.size() / 8;
    return smaller ? size : 0;
  });
  if (!smaller) return std::nullopt;
  packed.shrink_to_fit();
  return packed;
}

/// XXH3 with 64 bits: what is altered by a disk or a hand is noticed; it is no signature.
std::int64_t checksum_of(const Block& block) {
  const std::array<std::int64_t, 5> numbers = {
      block.first.value, block.last.value, block.fact_count, unix_milliseconds(block.appended_at),
      block.raw_bytes};
  std::uint64_t hash = XXH3_64bits(numbers.data(), sizeof numbers);
  hash = XXH3_64bits_withSeed(block.codec.data(), block.codec.size(), hash);
  hash = XXH3_64bits_withSeed(block.data.data(), block.data.size(), hash);
  return std::bit_cast<std::int64_t>(hash);
}

Block make_block(std::span<const Chunk> chunks, std::size_t bytes) {
  Block block;
  block.first = chunks.front().first;
  block.last = chunks.back().last();
  block.appended_at = chunks.front().appended_at;
  block.writer = chunks.front().writer;
  for (const Chunk& chunk : chunks) block.fact_count += chunk.count;
  std::string raw = pack(chunks, bytes);
  block.raw_bytes = static_cast<std::int64_t>(raw.size());
  if (auto compressed = compress(raw)) {
    block.codec = codec_zstd;
    block.data = *std::move(compressed);
  } else {
    block.codec = codec_raw;
    block.data = std::move(raw);
  }
  block.checksum = checksum_of(block);
  return block;
}

Result<std::string> decompress(const Block& block) {
  if (block.codec == codec_raw) return block.data;
  if (block.codec != codec_zstd || block.raw_bytes < 0 || block.raw_bytes > raw_bytes_max) {
    return fail(Code::storage_failed, "codec {} with {} bytes", block.codec, block.raw_bytes);
  }
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                                  &ZSTD_freeDCtx);
  const auto raw_bytes = static_cast<std::size_t>(block.raw_bytes);
  std::string raw;
  bool whole = false;
  // libstdc++ 12 hands out more room than was asked for.
  raw.resize_and_overwrite(raw_bytes, [&](char* data, std::size_t /*room*/) {
    const std::size_t size =
        ZSTD_decompressDCtx(context.get(), data, raw_bytes, block.data.data(), block.data.size());
    whole = ZSTD_isError(size) == 0U && size == raw_bytes;
    return whole ? size : 0;
  });
  if (!whole) return fail(Code::storage_failed, "compressed data is damaged");
  return raw;
}

/// The part of the packed form before the payloads.
struct Head {
  std::vector<Run> runs;
  std::vector<std::uint64_t> lengths;
  std::size_t payloads_offset = 0;
};

std::optional<Head> read_head(std::string_view raw, const Block& block) {
  Head head;
  std::string_view in = raw;
  const auto run_count = take_varint(in);
  if (!run_count || *run_count == 0 || *run_count > raw.size()) return std::nullopt;
  StreamId expected = block.first;
  std::uint64_t facts = 0;
  for (std::uint64_t i = 0; i < *run_count; ++i) {
    const auto gap = take_varint(in);
    const auto count = take_varint(in);
    const std::uint64_t room = static_cast<std::uint64_t>(block.last.value - expected.value) + 1;
    if (!gap || !count || *count == 0 || *gap >= room || *count > room - *gap) return std::nullopt;
    head.runs.push_back({expected.plus(static_cast<std::int64_t>(*gap)), *count});
    expected = head.runs.back().first.plus(static_cast<std::int64_t>(*count));
    facts += *count;
  }
  if (facts != static_cast<std::uint64_t>(block.fact_count) || facts > raw.size()) {
    return std::nullopt;
  }
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < facts; ++i) {
    const auto length = take_varint(in);
    if (!length || *length > raw.size()) return std::nullopt;
    head.lengths.push_back(*length);
    bytes += *length;
  }
  if (bytes != in.size()) return std::nullopt;
  head.payloads_offset = raw.size() - in.size();
  return head;
}

}  // namespace

std::vector<Block> pack_blocks(std::span<const Chunk> chunks) {
  std::vector<Block> blocks;
  std::vector<Chunk> group;
  std::size_t group_bytes = 0;
  for (Chunk left : chunks) {
    while (left.count > 0) {
      const std::uint32_t count =
          fitting(left, block_payload_bytes_max - std::min(group_bytes, block_payload_bytes_max),
                  group.empty() ? 1 : 0);
      if (count > 0) {
        group.push_back(front(left, count));
        group_bytes += payload_bytes(group.back());
        left = rest(left, count);
      }
      if (left.count == 0) break;
      blocks.push_back(make_block(group, group_bytes));
      group.clear();
      group_bytes = 0;
    }
  }
  if (!group.empty()) blocks.push_back(make_block(group, group_bytes));
  return blocks;
}

Result<std::vector<Chunk>> unpack_block(const Block& block) {
  const auto context = [&block] {
    return fmt::format("block of facts {} to {}", block.first, block.last);
  };
  if (block.checksum && *block.checksum != checksum_of(block)) {
    return fail(Code::storage_failed, "{} is damaged: its checksum differs", context());
  }
  auto raw = decompress(block);
  if (!raw) return std::unexpected(std::move(raw).error().with(context()));
  const bool has_ids = block.first <= block.last && block.last <= last_id_max;
  const auto head = has_ids ? read_head(*raw, block) : std::nullopt;
  if (!head) return fail(Code::storage_failed, "{} is damaged", context());

  auto batch = std::make_shared<FactBatch>(*std::move(raw));
  std::size_t offset = head->payloads_offset;
  for (const std::uint64_t length : head->lengths) {
    batch->add_payload(offset, length);
    offset += length;
  }
  std::vector<Chunk> chunks;
  std::uint32_t begin = 0;
  for (const Run& run : head->runs) {
    const auto count = static_cast<std::uint32_t>(run.count);
    chunks.push_back({run.first, begin, count, block.appended_at, batch, block.writer});
    begin += count;
  }
  return chunks;
}

}  // namespace postrider
