#include "sim/history/damaging.hpp"

#include <algorithm>

#include "postrider/store/blocks.hpp"
#include "postrider/store/streams.hpp"
#include "postrider/stream/block.hpp"

namespace postrider::sim {
namespace {

constexpr std::int64_t everything = 1'000'000'000'000;
constexpr Statement alter_sql{"UPDATE blocks SET data = $3 WHERE stream_key = $1 AND last_id = $2"};

void remember(Context& context, const StreamRow& stream, const std::vector<Chunk>& chunks) {
  for (const Chunk& chunk : chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      const std::string payload(chunk.payload(id));
      const auto number = number_in(payload);
      if (!number) continue;
      context.ledger.damage().add(stream.name, id, {*number, payload, id <= stream.sorted_through});
    }
  }
}

Result<void> alter(Context& context, SqlConnection& connection, const StreamRow& stream,
                   const Block& block, Random& random) {
  TRY(const auto chunks, unpack_block(block));
  remember(context, stream, chunks);
  std::string data = block.data;
  data[random.below(data.size())] ^= static_cast<char>(1 + random.below(255));
  const auto altered = connection.execute(
      alter_sql, {stream.key.value, block.last.value, Blob{data}}, [](const SqlRow&) {});
  if (!altered) return std::unexpected(altered.error());
  context.trace.note("damage", stream.name, {block.first.value, block.last.value});
  return {};
}

}  // namespace

Result<void> damage_a_block(Context& context, SqlConnection& connection, Random& random) {
  TRY(const auto streams, read_streams(connection));
  if (streams.empty()) return {};
  const StreamRow& stream = streams[random.below(streams.size())];
  TRY(auto blocks, read_blocks(connection, stream.key, StreamId{}, everything));
  std::erase_if(blocks, [&](const Block& block) {
    return context.ledger.damage().find(stream.name, block.last) != nullptr;
  });
  if (blocks.empty()) return {};
  // The newest are those that somebody still waits for.
  const bool is_new = random.chance(700);
  const std::size_t among = is_new ? std::min<std::size_t>(blocks.size(), 3) : blocks.size();
  const Block& block = blocks[blocks.size() - 1 - random.below(among)];
  return alter(context, connection, stream, block, random);
}

}  // namespace postrider::sim
