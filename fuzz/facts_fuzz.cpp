// The body of an append: what is taken is taken byte for byte, packs into blocks, and is read back
// as the same facts. The first line names the kind of body.
#include "fuzz/input.hpp"

#include "postrider/base/assert.hpp"
#include "postrider/matrix/matrix_attributes.hpp"
#include "postrider/matrix/matrix_format.hpp"
#include "postrider/stream/block.hpp"
#include "postrider/stream/fact_parser.hpp"
#include "postrider/webhook/json_format.hpp"

namespace postrider {
namespace {

// Small, so that a short input reaches them.
constexpr FactLimits limits{.fact_bytes_max = 2000, .batch_facts_max = 50, .json_depth_max = 20};

void check_alone(const FactBatch& batch, std::size_t index, const StreamFormat& format) {
  const std::string payload(batch.payload(index));
  const auto alone = parse_facts(payload, BodyKind::json, format, limits);
  POSTRIDER_ASSERT(alone && (*alone)->size() == 1, "is not a fact when alone: {}", payload);
  POSTRIDER_ASSERT((*alone)->payload(0) == payload, "is changed when alone: {}", payload);
  const MatrixAttributes event = matrix_attributes(batch.attributes(index));
  const MatrixAttributes again = matrix_attributes((*alone)->attributes(0));
  POSTRIDER_ASSERT(event.type == again.type && event.sender == again.sender &&
                       event.room_id == again.room_id && event.state_key == again.state_key &&
                       event.membership == again.membership && event.aliases == again.aliases,
                   "has other attributes when alone: {}", payload);
}

/// The same of a format in which every JSON object is a fact.
void check_any_object(std::string body, BodyKind kind) {
  static const JsonFormat format(std::map<std::string, std::string>{{"key", "/content/0/body"}});
  const auto facts = parse_facts(std::move(body), kind, format, limits);
  if (!facts) return;
  for (std::size_t i = 0; i < (*facts)->size(); ++i) {
    const auto alone =
        parse_facts(std::string((*facts)->payload(i)), BodyKind::json, format, limits);
    POSTRIDER_ASSERT(alone.has_value(), "is not a fact when alone: {}", (*facts)->payload(i));
    const AttributeView together = (*facts)->attributes(i);
    const AttributeView again = (*alone)->attributes(0);
    for (std::size_t k = 0; k < json_schema.size(); ++k) {
      POSTRIDER_ASSERT(together.has(k) == again.has(k) && together.text(k) == again.text(k),
                       "has another {} when alone: {}", json_schema[k].name, (*facts)->payload(i));
    }
  }
}

void check_stored(const std::shared_ptr<const FactBatch>& batch, const StreamFormat& format) {
  const auto count = static_cast<std::uint32_t>(batch->size());
  const std::vector<Chunk> chunks = {{StreamId{7}, 0, count, wall_time(0), batch}};
  StreamId next{7};
  for (const Block& block : pack_blocks(chunks)) {
    const auto unpacked = unpack_block(block);
    POSTRIDER_ASSERT(unpacked.has_value(), "a block does not unpack");
    const AttributedFacts attributed = with_attributes(*unpacked, format);
    POSTRIDER_ASSERT(!attributed.unreadable, "what was admitted is no fact");
    for (const Chunk& chunk : attributed.chunks) {
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
  static const MatrixFormat format;
  check_any_object(std::string(input.rest()), kind);
  const auto facts = parse_facts(std::string(input.rest()), kind, format, limits);
  if (!facts) return 0;
  POSTRIDER_ASSERT((*facts)->size() > 0, "no facts");
  for (std::size_t i = 0; i < (*facts)->size(); ++i) check_alone(**facts, i, format);
  check_stored(*facts, format);
  return 0;
}
