// A packed block as the database gives it back, perhaps damaged. What unpacks packs again into the
// same facts. The first line holds first, last, fact count, codec and length.
#include <charconv>

#include "fuzz/input.hpp"

#include "postrider/base/assert.hpp"
#include "postrider/stream/block.hpp"

namespace postrider {
namespace {

std::int64_t take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return error == std::errc{} ? number : 0;
}

Block block_of(FuzzInput input) {
  std::string_view line = input.take_line();
  Block block;
  block.first = StreamId{take_number(line)};
  block.last = StreamId{take_number(line)};
  block.fact_count = take_number(line);
  block.raw_bytes = take_number(line);
  block.codec = line;
  block.data = input.rest();
  return block;
}

std::string facts_of(const std::vector<Chunk>& chunks) {
  std::string text;
  for (const Chunk& chunk : chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      text += fmt::format("{} {}\n", id, chunk.payload(id));
    }
  }
  return text;
}

}  // namespace
}  // namespace postrider

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  const Block block = block_of(FuzzInput(data, size));
  if (block.first.value < 1) return 0;  // the database holds none
  const auto chunks = unpack_block(block);
  if (!chunks) return 0;
  std::string again;
  for (const Block& packed : pack_blocks(*chunks)) {
    const auto unpacked = unpack_block(packed);
    POSTRIDER_ASSERT(unpacked.has_value(), "a block does not unpack");
    again += facts_of(*unpacked);
  }
  POSTRIDER_ASSERT(facts_of(*chunks) == again, "the facts of a block have changed");
  return 0;
}
