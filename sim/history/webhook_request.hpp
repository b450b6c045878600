#pragma once

#include <string>
#include <string_view>

#include "postrider/base/time.hpp"
#include "postrider/runtime/http_client.hpp"

namespace postrider::sim {

/// The secret that a service registers as a webhook, the same in all its lives.
std::string webhook_secret(const std::string& service);

/// Null when the request has no such header. `name`: as it is written.
const std::string* header_of(const HttpRequest& request, std::string_view name);

/// What the receiver of a webhook finds wrong with a request, which goes out now; empty: nothing.
std::string webhook_fault(const HttpRequest& request, const std::string& service, WallTime now);

/// How many facts the body of a request to any receiver holds.
std::int64_t fact_count(std::string_view body);

}  // namespace postrider::sim
