#include "postrider/base/error.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

constexpr std::array traits_table = {
    ErrorTraits{Code::invalid_argument, "invalid_argument", 400, "Invalid request", false},
    ErrorTraits{Code::malformed_json, "malformed_json", 400, "Malformed JSON", false},
    ErrorTraits{Code::unauthorized, "unauthorized", 401, "Missing or wrong token", false},
    ErrorTraits{Code::forbidden, "forbidden", 403, "Not allowed", false},
    ErrorTraits{Code::not_found, "not_found", 404, "Not found", false},
    ErrorTraits{Code::method_not_allowed, "method_not_allowed", 405, "Method not allowed", false},
    ErrorTraits{Code::conflict, "conflict", 409, "Conflict", false},
    ErrorTraits{Code::position_gone, "position_gone", 410, "Position no longer kept", false},
    ErrorTraits{Code::facts_unreadable, "facts_unreadable", 500, "Stored facts cannot be read",
                false},
    ErrorTraits{Code::idempotency_key_reused, "idempotency_key_reused", 422,
                "Idempotency key reused with another body", false},
    ErrorTraits{Code::payload_too_large, "payload_too_large", 413, "Too large", false},
    ErrorTraits{Code::unsupported_media_type, "unsupported_media_type", 415,
                "Unsupported content type", false},
    ErrorTraits{Code::limit_exceeded, "limit_exceeded", 400, "Limit exceeded", false},
    ErrorTraits{Code::storage_full, "storage_full", 507, "Storage is full", true},
    ErrorTraits{Code::storage_failed, "storage_failed", 500, "Storage failed", true},
    ErrorTraits{Code::storage_refused, "storage_refused", 500, "The database refuses it", false},
    ErrorTraits{Code::storage_unavailable, "storage_unavailable", 503, "Database unavailable",
                true},
    ErrorTraits{Code::storage_incompatible, "storage_incompatible", 500, "Incompatible database",
                false},
    ErrorTraits{Code::storage_locked, "storage_locked", 500, "Database in use", false},
    ErrorTraits{Code::session_ended, "session_ended", 503, "Session has ended", true},
    ErrorTraits{Code::not_delivering, "not_delivering", 503, "Another process delivers", true},
    ErrorTraits{Code::overloaded, "overloaded", 503, "Too much work waiting", true},
    ErrorTraits{Code::stopping, "stopping", 503, "Server is stopping", true},
    ErrorTraits{Code::deadline, "deadline", 504, "Timed out", true},
    ErrorTraits{Code::connection_failed, "connection_failed", 502, "Connection failed", true},
    ErrorTraits{Code::connection_lost, "connection_lost", 502, "Connection lost", true},
    ErrorTraits{Code::address_refused, "address_refused", 502, "Address refused by policy", true},
    ErrorTraits{Code::bad_status, "bad_status", 502, "Receiver answered with an error", true},
    ErrorTraits{Code::internal, "internal", 500, "Internal error", false},
};

}  // namespace

const ErrorTraits& error_traits(Code code) {
  const auto* found = std::ranges::find(traits_table, code, &ErrorTraits::code);
  POSTRIDER_ASSERT(found != traits_table.end(), "code {} is not in the table",
                   static_cast<int>(code));
  return *found;
}

Error Error::with(std::string_view context) && {
  detail = fmt::format("{}: {}", context, detail);
  return std::move(*this);
}

}  // namespace postrider
