#include "postrider/stream/fact_batch.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

// What the attributes of one fact take as a rule.
constexpr std::size_t usual_text_bytes = 192;

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
  if (texts_.empty()) texts_.reserve(usual_text_bytes);
  const Slice slice{narrow(texts_.size()), narrow(text.size())};
  texts_ += text;
  return slice;
}

AttributeWriter FactBatch::add_attributes(std::size_t count) {
  const std::size_t fact = present_.size();
  POSTRIDER_ASSERT(fact < payloads_.size(), "attributes before their payload");
  POSTRIDER_ASSERT(count <= attributes_max && (fact == 0 || count == attributes_each_),
                   "{} attributes after {}", count, attributes_each_);
  attributes_each_ = count;
  const std::size_t first = values_.size();
  values_.resize(first + count);
  present_.push_back(0);
  return {*this, fact, first};
}

AttributeView FactBatch::attributes(std::size_t index) const {
  POSTRIDER_ASSERT(index < present_.size(), "fact {} has no attributes", index);
  return {*this, index, index * attributes_each_};
}

void AttributeWriter::set(std::size_t index, std::uint32_t low, std::uint32_t high) {
  POSTRIDER_ASSERT(index < batch_->attributes_each_, "attribute {} of {}", index,
                   batch_->attributes_each_);
  batch_->values_[first_ + index] = {low, high};
  batch_->present_[fact_] |= std::uint64_t{1} << index;
}

void AttributeWriter::text(std::size_t index, std::string_view text) {
  const FactBatch::Slice slice = batch_->store(text);
  set(index, slice.offset, slice.length);
}

void AttributeWriter::number(std::size_t index, std::int64_t number) {
  const auto bits = std::bit_cast<std::uint64_t>(number);
  set(index, static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32U));
}

void AttributeWriter::texts(std::size_t index, std::span<const std::string_view> texts) {
  set(index, narrow(batch_->text_lists_.size()), narrow(texts.size()));
  for (const std::string_view text : texts) batch_->text_lists_.push_back(batch_->store(text));
}

bool AttributeView::has(std::size_t index) const {
  return ((batch_->present_[fact_] >> index) & 1U) != 0;
}

std::string_view AttributeView::text(std::size_t index) const {
  const FactBatch::Value value = batch_->values_.at(first_ + index);
  return batch_->stored_text({value.low, value.high});
}

std::int64_t AttributeView::number(std::size_t index) const {
  const FactBatch::Value value = batch_->values_.at(first_ + index);
  return std::bit_cast<std::int64_t>((std::uint64_t{value.high} << 32U) | value.low);
}

std::vector<std::string_view> AttributeView::texts(std::size_t index) const {
  const FactBatch::Value value = batch_->values_.at(first_ + index);
  std::vector<std::string_view> texts;
  for (std::uint32_t i = 0; i < value.high; ++i) {
    texts.push_back(batch_->stored_text(batch_->text_lists_.at(value.low + i)));
  }
  return texts;
}

std::string_view FactBatch::payload(std::size_t index) const {
  const Slice slice = payloads_.at(index);
  return std::string_view(buffer_).substr(slice.offset, slice.length);
}

std::string_view FactBatch::stored_text(Slice slice) const {
  return std::string_view(texts_).substr(slice.offset, slice.length);
}

std::size_t FactBatch::memory_bytes() const {
  return sizeof(FactBatch) + buffer_.capacity() + texts_.capacity() +
         (payloads_.capacity() + text_lists_.capacity()) * sizeof(Slice) +
         values_.capacity() * sizeof(Value) + present_.capacity() * sizeof(std::uint64_t);
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
