#pragma once

#include <string>

#include <curl/curl.h>

#include "postrider/base/error.hpp"
#include "postrider/base/time.hpp"

namespace postrider {

/// What is known about a request that got no answer. Header values are left out on purpose: the
/// text goes to logs and to operators.
struct CurlFailure {
  CURLcode code = CURLE_OK;
  std::string url;
  Duration timeout{};          ///< of the whole request
  Duration connect_timeout{};  ///< of the connection alone
  bool connected = false;
  int system_error = 0;         ///< errno of the socket, 0 when unknown
  std::string refused_address;  ///< empty unless the address policy refused the only addresses
  std::string tls_detail;       ///< what the TLS library said
};

Error describe(const CurlFailure& failure);

}  // namespace postrider
