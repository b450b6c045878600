#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "postrider/api/http/message.hpp"

namespace postrider {

/// Reads requests from the bytes of one connection, one after the other.
class HttpRequestParser {
 public:
  enum class State {
    need_more,  ///< what is not consumed must come again with more behind it
    head_done,  ///< call `allow_body` and feed on
    done,
    failed,  ///< nothing after this can be understood
  };
  struct Fed {
    State state = State::need_more;
    std::size_t consumed = 0;
  };
  struct Failure {
    Error error;
    std::optional<int> status = std::nullopt;  ///< where HTTP has a narrower one than the code
  };

  explicit HttpRequestParser(std::size_t header_bytes_max);
  HttpRequestParser(const HttpRequestParser&) = delete;
  HttpRequestParser& operator=(const HttpRequestParser&) = delete;
  ~HttpRequestParser();

  /// The next request goes into `request`, which must outlive its parsing. Nothing of the one
  /// before is left in it then.
  void begin(HttpServerRequest& request);
  Fed feed(std::string_view bytes);
  /// A longer body fails with `payload_too_large`.
  void allow_body(std::uint64_t bytes_max);

  /// After `failed`.
  [[nodiscard]] const Failure& failure() const;

  /// After `head_done` or `done`: a target that cannot be routed. The connection is still usable.
  [[nodiscard]] const std::optional<Error>& target_error() const;
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool is_http_1_0() const;
  [[nodiscard]] bool expects_continue() const;

 private:
  class Message;
  Fed failed(Failure failure);
  [[nodiscard]] std::optional<Failure> head_failure() const;

  const std::size_t header_bytes_max_;
  std::unique_ptr<Message> message_;
  Failure failure_;
};

}  // namespace postrider
