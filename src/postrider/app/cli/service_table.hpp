#pragma once

#include <string>
#include <string_view>

#include "postrider/base/result.hpp"

namespace postrider {

/// The answer of `GET /v1/services` as columns for people. Errors: `bad_status` when it is
/// something else.
Result<std::string> service_table(std::string_view answer, bool colour);

/// `state` of a service's answer; empty when it has none.
std::string service_state(std::string_view answer);

struct PingOutcome {
  bool is_good = false;
  std::string text;  ///< in words
};
/// What the answer to a ping says.
PingOutcome ping_outcome(std::string_view answer);

}  // namespace postrider
