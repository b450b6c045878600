#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <vector>

#include "postrider/base/id_range.hpp"
#include "postrider/store/stream_ids.hpp"
#include "postrider/stream/block.hpp"
#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {

/// A stream that several processes write to, of which this is one. The facts of the others are put
/// into the database as they would; what this process is told of it is up to the test.
class SharedStreamWorld : public StreamWorld {
 protected:
  static constexpr InstanceKey second{7};
  static constexpr InstanceKey third{8};

  SharedStreamWorld() {
    stream->on_update([this](const WriterUpdate& update) { announced = update; });
    EXPECT_TRUE(prepare_ids(*writer, stream->key(), StreamId{0}));
  }

  /// All three are live, and stand at the beginning.
  void know_all_writers() {
    stream->begin_session({.allocated = StreamId{0}, .newest_session = session.key()});
    stream->apply_writer_list({session.key(),
                               {{session.instance(), StreamId{0}, true},
                                {second, StreamId{0}, true},
                                {third, StreamId{0}, true}}});
  }

  /// A commit of another writer: a block for each range, each fact with its ID as `n`.
  std::vector<Block> commit_of(InstanceKey by, std::initializer_list<IdRange> ranges) {
    std::vector<Block> blocks;
    for (const IdRange& range : ranges) {
      const auto count = static_cast<int>(range.count());
      auto batch = facts(*stream, count, static_cast<int>(range.first.value));
      const Chunk chunk{range.first,      0, static_cast<std::uint32_t>(count), runtime.wall_now(),
                        std::move(batch), by};
      for (Block& block : pack_blocks(std::span(&chunk, 1))) {
        EXPECT_TRUE(insert_block(*writer, stream->key(), block));
        blocks.push_back(std::move(block));
      }
    }
    return blocks;
  }

  /// The update of a writer that is at `position`, and none of whose facts arrive here.
  [[nodiscard]] WriterUpdate update_without_facts(InstanceKey by, StreamId position) const {
    return {.writer = by,
            .previous = position,
            .position = position,
            .newest_session = session.key(),
            .chunks = {},
            .blocks = {},
            .is_complete = true};
  }

  Stream* stream = only_stream(open_stream({}, StreamId{0}, &session));
  std::optional<WriterUpdate> announced;
};

inline std::vector<std::int64_t> ids_of(const std::vector<Chunk>& chunks) {
  std::vector<std::int64_t> ids;
  for (const Chunk& chunk : chunks) {
    for (std::uint32_t i = 0; i < chunk.count; ++i) ids.push_back(chunk.first.plus(i).value);
  }
  return ids;
}

}  // namespace postrider
