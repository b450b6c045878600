#pragma once

#include <optional>
#include <string_view>

#include "postrider/api/http/message.hpp"
#include "postrider/base/error.hpp"

namespace postrider {

/// The problem document (RFC 9457) of an error, with the headers that belong to it:
/// WWW-Authenticate with 401, Retry-After when the error says when to try again. `status` stands
/// in for that of the error's code where HTTP has a narrower one.
HttpServerResponse problem_response(const Error& error, std::string_view request_id,
                                    std::optional<int> status = std::nullopt);

}  // namespace postrider
