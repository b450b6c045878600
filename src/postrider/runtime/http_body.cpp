#include "postrider/runtime/http_body.hpp"

#include <utility>

namespace postrider {
namespace {

/// Up to here a copy costs less than what it takes to send pieces.
constexpr std::size_t copied_bytes_max = 64U << 10;

void append_joined(std::string& text, std::span<const std::string_view> items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += ',';
    text += items[i];
  }
}

}  // namespace

HttpBody::HttpBody(std::string text) : own_(std::move(text)), size_(own_.size()) {
  if (size_ > 0) pieces_.emplace_back(own_);
}

std::shared_ptr<const HttpBody> HttpBody::joined(std::string head,
                                                 std::span<const std::string_view> items,
                                                 std::string_view tail,
                                                 std::shared_ptr<const void> owner) {
  std::size_t bytes = head.size() + tail.size() + items.size();
  for (const std::string_view item : items) bytes += item.size();
  if (bytes <= copied_bytes_max) {
    head.reserve(bytes);
    append_joined(head, items);
    head += tail;
    return std::make_shared<const HttpBody>(std::move(head));
  }
  const std::size_t head_bytes = head.size();
  auto body = std::make_shared<HttpBody>(std::move(head.append(tail)));
  body->owner_ = std::move(owner);
  const std::string_view own = body->own_;
  body->pieces_ = {own.substr(0, head_bytes)};
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) body->pieces_.emplace_back(",");
    body->pieces_.push_back(items[i]);
  }
  body->pieces_.push_back(own.substr(head_bytes));
  body->size_ = 0;
  for (const std::string_view piece : body->pieces_) body->size_ += piece.size();
  return body;
}

std::string HttpBody::text() const {
  std::string text;
  text.reserve(size_);
  for (const std::string_view piece : pieces_) text += piece;
  return text;
}

}  // namespace postrider
