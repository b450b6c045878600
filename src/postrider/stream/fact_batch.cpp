#include "postrider/stream/fact_batch.hpp"

#include <algorithm>
#include <limits>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

std::uint32_t narrow(std::size_t size) {
  POSTRIDER_ASSERT(size <= std::numeric_limits<std::uint32_t>::max(), "{} bytes in a batch", size);
  return static_cast<std::uint32_t>(size);
}

}  // namespace

void FactBatch::add_payload(std::size_t offset, std::size_t length) {
  POSTRIDER_ASSERT(offset + length <= buffer_.size(), "payload {}+{} of {}", offset, length,
                   buffer_.size());
  payloads_.push_back({narrow(offset), narrow(length)});
  payload_bytes_ += length;
}

FactBatch::Slice FactBatch::store(std::string_view text) {
  const Slice slice{narrow(key_text_.size()), narrow(text.size())};
  key_text_ += text;
  return slice;
}

void FactBatch::add_keys(const RoutingKeys& keys) {
  POSTRIDER_ASSERT(keys_.size() < payloads_.size(), "keys before their payload");
  StoredKeys stored;
  stored.type = store(keys.type);
  stored.room_id = store(keys.room_id);
  stored.sender = store(keys.sender);
  stored.event_id = store(keys.event_id);
  stored.membership = store(keys.membership);
  stored.has_state_key = keys.state_key.has_value();
  if (keys.state_key) stored.state_key = store(*keys.state_key);
  stored.origin_server_ts = keys.origin_server_ts;
  stored.names_aliases = keys.names_aliases;
  stored.aliases_begin = narrow(aliases_.size());
  stored.aliases_count = narrow(keys.aliases.size());
  for (const std::string_view alias : keys.aliases) aliases_.push_back(store(alias));
  keys_.push_back(stored);
}

std::string_view FactBatch::payload(std::size_t index) const {
  const Slice slice = payloads_.at(index);
  return std::string_view(buffer_).substr(slice.offset, slice.length);
}

std::string_view FactBatch::key_text(Slice slice) const {
  return std::string_view(key_text_).substr(slice.offset, slice.length);
}

RoutingKeys FactBatch::keys(std::size_t index) const {
  const StoredKeys& stored = keys_.at(index);
  RoutingKeys keys;
  keys.type = key_text(stored.type);
  keys.room_id = key_text(stored.room_id);
  keys.sender = key_text(stored.sender);
  keys.event_id = key_text(stored.event_id);
  keys.membership = key_text(stored.membership);
  if (stored.has_state_key) keys.state_key = key_text(stored.state_key);
  keys.origin_server_ts = stored.origin_server_ts;
  keys.names_aliases = stored.names_aliases;
  for (std::uint32_t i = 0; i < stored.aliases_count; ++i) {
    keys.aliases.push_back(key_text(aliases_.at(stored.aliases_begin + i)));
  }
  return keys;
}

std::size_t FactBatch::memory_bytes() const {
  return sizeof(FactBatch) + buffer_.capacity() + key_text_.capacity() +
         payloads_.capacity() * sizeof(Slice) + keys_.capacity() * sizeof(StoredKeys) +
         aliases_.capacity() * sizeof(Slice);
}

Chunk Chunk::part(StreamId after, StreamId through) const {
  Chunk part = *this;
  part.first = std::max(first, after.plus(1));
  const std::int64_t left = std::min(last(), through).value - part.first.value + 1;
  part.begin = begin + static_cast<std::uint32_t>(part.first.value - first.value);
  part.count = left <= 0 ? 0 : static_cast<std::uint32_t>(left);
  return part;
}

}  // namespace postrider
