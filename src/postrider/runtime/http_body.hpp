#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postrider {

/// The body of a request, in one piece or in several, whose bytes other requests may share.
/// Immutable once it is made; any thread.
class HttpBody {
 public:
  explicit HttpBody(std::string text);
  HttpBody(const HttpBody&) = delete;
  HttpBody& operator=(const HttpBody&) = delete;

  /// `head`, `items` with a comma between them, and `tail`. A small body becomes one piece; of a
  /// large one the items stay where they are, in memory that `owner` keeps.
  static std::shared_ptr<const HttpBody> joined(std::string head,
                                                std::span<const std::string_view> items,
                                                std::string_view tail,
                                                std::shared_ptr<const void> owner);

  [[nodiscard]] std::size_t size() const { return size_; }
  /// None of an empty body.
  [[nodiscard]] std::span<const std::string_view> pieces() const { return pieces_; }
  /// All of it in one piece.
  [[nodiscard]] std::string text() const;

 private:
  std::string own_;  ///< all of it, or the head and the tail
  std::shared_ptr<const void> owner_;
  std::vector<std::string_view> pieces_;
  std::size_t size_ = 0;
};

}  // namespace postrider
