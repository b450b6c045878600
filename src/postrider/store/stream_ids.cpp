#include "postrider/store/stream_ids.hpp"

#include <algorithm>

namespace postrider {
namespace {

std::string sequence_of(StreamKey stream) {
  return fmt::format("stream_ids_{}", stream);
}

std::int64_t rounded_up(StreamId id) {
  return (id.value + ids_per_draw - 1) / ids_per_draw * ids_per_draw;
}

}  // namespace

Result<StreamId> prepare_ids(SqlConnection& connection, StreamKey stream, StreamId used) {
  const std::string sequence = sequence_of(stream);
  TRY_VOID(connection.create_sequence(sequence, ids_per_draw));
  TRY(const std::int64_t drawn, connection.last_drawn(sequence));
  if (drawn >= used.value) return StreamId{drawn};
  TRY_VOID(connection.raise_sequence(sequence, rounded_up(used)));
  return StreamId{rounded_up(used)};
}

Result<std::vector<IdRange>> draw_ids(SqlConnection& connection, StreamKey stream,
                                      std::int64_t count) {
  const std::int64_t draws = (count + ids_per_draw - 1) / ids_per_draw;
  TRY(auto numbers, connection.draw(sequence_of(stream), draws));
  std::ranges::sort(numbers);
  std::vector<IdRange> ranges;
  for (const std::int64_t number : numbers) {
    const StreamId first{number - ids_per_draw + 1};
    if (!ranges.empty() && ranges.back().last.plus(1) == first) {
      ranges.back().last = StreamId{number};
    } else {
      ranges.push_back({first, StreamId{number}});
    }
  }
  return ranges;
}

}  // namespace postrider
