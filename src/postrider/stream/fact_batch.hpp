#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/base/time.hpp"

namespace postrider {

/// What interest is decided on. Views into the batch they came from. A format that has no such key
/// leaves it empty. The names are those of a Matrix event; another format maps its own onto them.
struct RoutingKeys {
  std::string_view type;
  std::string_view room_id;
  std::string_view sender;
  std::string_view event_id;
  std::optional<std::string_view> state_key;
  std::int64_t origin_server_ts = 0;      ///< Unix milliseconds; 0 when the fact has none
  std::string_view membership;            ///< of a membership fact: "join", "leave", …
  std::vector<std::string_view> aliases;  ///< of a fact that names a room's aliases: all of them
  bool names_aliases = false;             ///< the fact replaces its aliases, perhaps by none
};

/// Facts that arrived together, with their payloads byte for byte. Immutable once shared. Has no
/// stream IDs: those are given at the commit.
class FactBatch {
 public:
  /// `buffer` holds the payloads at the places that `add_payload` names.
  explicit FactBatch(std::string buffer) : buffer_(std::move(buffer)) {}

  void add_payload(std::size_t offset, std::size_t length);
  /// Copies the key texts. Called once for each payload, in order, or never.
  void add_keys(const RoutingKeys& keys);

  [[nodiscard]] std::size_t size() const { return payloads_.size(); }
  [[nodiscard]] std::string_view payload(std::size_t index) const;
  [[nodiscard]] RoutingKeys keys(std::size_t index) const;
  [[nodiscard]] bool has_keys() const { return keys_.size() == payloads_.size(); }
  [[nodiscard]] const std::string& buffer() const { return buffer_; }
  /// Sum of the payload lengths.
  [[nodiscard]] std::size_t payload_bytes() const { return payload_bytes_; }
  /// What the batch costs in memory, for byte-bounded caches.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Slice {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };
  struct StoredKeys {
    Slice type, room_id, sender, event_id, state_key, membership;
    bool has_state_key = false;
    bool names_aliases = false;
    std::uint32_t aliases_begin = 0;
    std::uint32_t aliases_count = 0;
    std::int64_t origin_server_ts = 0;
  };
  Slice store(std::string_view text);
  [[nodiscard]] std::string_view key_text(Slice slice) const;

  std::string buffer_;
  std::vector<Slice> payloads_;
  std::size_t payload_bytes_ = 0;
  std::string key_text_;
  std::vector<StoredKeys> keys_;
  std::vector<Slice> aliases_;
};

/// A run of facts with consecutive stream IDs: `first`, `first + 1`, … A part of a shared batch.
struct Chunk {
  StreamId first;
  std::uint32_t begin = 0;  ///< index of `first` in the batch
  std::uint32_t count = 0;
  WallTime appended_at{};
  std::shared_ptr<const FactBatch> batch;
  InstanceKey writer = {};

  [[nodiscard]] StreamId last() const { return first.plus(count - 1); }
  [[nodiscard]] std::size_t index(StreamId id) const {
    return begin + static_cast<std::size_t>(id.value - first.value);
  }
  [[nodiscard]] std::string_view payload(StreamId id) const { return batch->payload(index(id)); }
  [[nodiscard]] RoutingKeys keys(StreamId id) const { return batch->keys(index(id)); }
  /// What of it lies after `after` and at or before `through`; empty when nothing does.
  [[nodiscard]] Chunk part(StreamId after, StreamId through) const;
};

}  // namespace postrider
