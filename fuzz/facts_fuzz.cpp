// The body of an append: what is taken is taken byte for byte, packs into blocks, and is read back
// as the same facts. The first line names the kind of body.
#include "fuzz/input.hpp"

#include "postrider/base/assert.hpp"
#include "postrider/stream/block.hpp"
#include "postrider/stream/fact_parser.hpp"

namespace postrider {
namespace {

// Small, so that a short input reaches them.
constexpr FactLimits limits{.fact_bytes_max = 2000, .batch_facts_max = 50, .json_depth_max = 20};

void check_alone(const FactBatch& batch, std::size_t index, const EventFormat& format) {
  const std::string payload(batch.payload(index));
  const auto alone = parse_facts(payload, BodyKind::json, format, limits);
  POSTRIDER_ASSERT(alone && (*alone)->size() == 1, "is not a fact when alone: {}", payload);
  POSTRIDER_ASSERT((*alone)->payload(0) == payload, "is changed when alone: {}", payload);
  const RoutingKeys keys = batch.keys(index);
  const RoutingKeys again = (*alone)->keys(0);
  POSTRIDER_ASSERT(keys.type == again.type && keys.sender == again.sender &&
                       keys.room_id == again.room_id && keys.state_key == again.state_key &&
                       keys.membership == again.membership && keys.aliases == again.aliases,
                   "has other keys when alone: {}", payload);
}

void check_stored(const std::shared_ptr<const FactBatch>& batch, const EventFormat& format) {
  const auto count = static_cast<std::uint32_t>(batch->size());
  const std::vector<Chunk> chunks = {{StreamId{7}, 0, count, wall_time(0), batch}};
  StreamId next{7};
  for (const Block& block : pack_blocks(chunks)) {
    const auto unpacked = unpack_block(block);
    POSTRIDER_ASSERT(unpacked.has_value(), "a block does not unpack");
    for (const Chunk& chunk : with_keys(*unpacked, format)) {
      for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1), next = next.plus(1)) {
        POSTRIDER_ASSERT(id == next && chunk.payload(id) == chunks.front().payload(id),
                         "fact {} is not what was stored", id);
      }
    }
  }
  POSTRIDER_ASSERT(next == StreamId{7}.plus(count), "{} facts came back", next);
}

}  // namespace
}  // namespace postrider

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  FuzzInput input(data, size);
  const auto kind = input.take_line() == "ndjson" ? BodyKind::ndjson : BodyKind::json;
  static const EventFormat& format = *find_event_format("matrix");
  const auto facts = parse_facts(std::string(input.rest()), kind, format, limits);
  if (!facts) return 0;
  POSTRIDER_ASSERT((*facts)->size() > 0, "no facts");
  for (std::size_t i = 0; i < (*facts)->size(); ++i) check_alone(**facts, i, format);
  check_stored(*facts, format);
  return 0;
}
