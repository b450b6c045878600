#pragma once

#include "postrider/drivers/curl/curl_exchange.hpp"
#include "postrider/base/error.hpp"

namespace postrider {

/// The error behind an answer that is not 2xx: from its problem document (RFC 9457) when it is
/// one. `detail` reads `title: detail (code, request ID)`.
Error problem_of(const ApiAnswer& answer);

inline bool is_success(const ApiAnswer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

}  // namespace postrider
