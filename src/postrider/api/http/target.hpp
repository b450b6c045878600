#pragma once

#include <string_view>

#include "postrider/api/http/message.hpp"
#include "postrider/base/result.hpp"

namespace postrider {

/// Reads a request target ("/v1/a%20b?limit=10", or the absolute form that proxies send) into the
/// request's path, segments and query. In the query a plus is a blank. Error: `invalid_argument`
/// when a percent sign is not followed by two hexadecimal digits or a query name stands twice.
Result<void> parse_target(std::string_view target, HttpServerRequest& request);

}  // namespace postrider
