#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/time.hpp"

namespace postrider {

/// The closed list of expected failures. `error_traits` holds what each means outside.
enum class Code {
  invalid_argument,
  malformed_json,
  unauthorized,
  forbidden,
  not_found,
  method_not_allowed,
  conflict,
  position_gone,
  facts_unreadable,
  idempotency_key_reused,
  payload_too_large,
  unsupported_media_type,
  limit_exceeded,
  storage_full,
  storage_failed,
  storage_refused,
  storage_unavailable,
  storage_incompatible,
  storage_locked,
  session_ended,
  not_delivering,
  overloaded,
  stopping,
  deadline,
  connection_failed,
  connection_lost,
  address_refused,
  bad_status,
  internal,
};

/// What a code means to a client (HTTP) and to a caller (whether trying again can help).
struct ErrorTraits {
  Code code;
  std::string_view name;  ///< the `code` member of a problem document
  int http_status;
  std::string_view title;  ///< the `title` member of a problem document
  bool retryable;
};

const ErrorTraits& error_traits(Code code);

/// One wrong place of an input. `pointer` is an RFC 6901 JSON pointer into the request body or
/// the configuration.
struct FieldError {
  std::string pointer;
  std::string detail;
  bool operator==(const FieldError&) const = default;
};

struct Error {
  Code code = Code::internal;
  std::string detail;  ///< what was wrong, with which input, and what to do
  std::vector<FieldError> fields = {};
  std::optional<Duration> retry_after = std::nullopt;

  /// Adds context in front: "opening database x.db: disk I/O error".
  Error with(std::string_view context) &&;
};

}  // namespace postrider
