#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/base/time.hpp"

namespace postrider {

class FactBatch;

/// The attributes of one fact, by their index in the schema of the stream's format. A view into
/// the batch that they are stored in.
class AttributeView {
 public:
  AttributeView(const FactBatch& batch, std::size_t fact, std::size_t first)
      : batch_(&batch), fact_(fact), first_(first) {}

  [[nodiscard]] bool has(std::size_t index) const;
  /// Empty when the fact does not have it.
  [[nodiscard]] std::string_view text(std::size_t index) const;
  /// 0 when the fact does not have it.
  [[nodiscard]] std::int64_t number(std::size_t index) const;
  /// Empty when the fact does not have it.
  [[nodiscard]] std::vector<std::string_view> texts(std::size_t index) const;

 private:
  const FactBatch* batch_;
  std::size_t fact_;
  std::size_t first_;  ///< of its values
};

/// Writes the attributes of one fact into its batch, each once at most and as the schema says.
/// Texts are copied.
class AttributeWriter {
 public:
  AttributeWriter(FactBatch& batch, std::size_t fact, std::size_t first)
      : batch_(&batch), fact_(fact), first_(first) {}

  void text(std::size_t index, std::string_view text);
  void number(std::size_t index, std::int64_t number);
  void texts(std::size_t index, std::span<const std::string_view> texts);

 private:
  void set(std::size_t index, std::uint32_t low, std::uint32_t high);

  FactBatch* batch_;
  std::size_t fact_;
  std::size_t first_;  ///< of its values
};

/// Facts that arrived together, with their payloads byte for byte. Immutable once shared. Has no
/// stream IDs: those are given at the commit.
class FactBatch {
 public:
  static constexpr std::size_t attributes_max = 64;

  /// `buffer` holds the payloads at the places that `add_payload` names.
  explicit FactBatch(std::string buffer) : buffer_(std::move(buffer)) {}

  void add_payload(std::size_t offset, std::size_t length);
  /// Makes room for `count` attributes of the next payload: the same number for each, and at most
  /// `attributes_max`. Called once for each payload, in order, or never.
  AttributeWriter add_attributes(std::size_t count);

  [[nodiscard]] std::size_t size() const { return payloads_.size(); }
  [[nodiscard]] std::string_view payload(std::size_t index) const;
  [[nodiscard]] AttributeView attributes(std::size_t index) const;
  [[nodiscard]] bool has_attributes() const { return present_.size() == payloads_.size(); }
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
  /// Where a text is, where a run of texts is, or the two halves of a number.
  struct Value {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
  };
  friend class AttributeView;
  friend class AttributeWriter;
  Slice store(std::string_view text);
  [[nodiscard]] std::string_view stored_text(Slice slice) const;

  std::string buffer_;
  std::vector<Slice> payloads_;
  std::size_t payload_bytes_ = 0;
  std::string texts_;
  std::vector<Slice> text_lists_;
  std::vector<Value> values_;           ///< of all facts, one after the other
  std::vector<std::uint64_t> present_;  ///< of each fact, a bit for each attribute that it has
  std::size_t attributes_each_ = 0;
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
  [[nodiscard]] AttributeView attributes(StreamId id) const { return batch->attributes(index(id)); }
  /// What of it lies after `after` and at or before `through`; empty when nothing does.
  [[nodiscard]] Chunk part(StreamId after, StreamId through) const;
};

}  // namespace postrider
