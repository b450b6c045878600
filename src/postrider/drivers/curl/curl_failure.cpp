#include "postrider/drivers/curl/curl_failure.hpp"

#include <cerrno>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

std::string part_of(CURLU* url, CURLUPart part, unsigned int flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return text;
}

struct Origin {
  std::string text;  ///< scheme, host and port; never user, password, path or query
  std::string host;
};

Origin origin_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(),
                   CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) != CURLUE_OK) {
    return {"an unreadable URL", "an unreadable URL"};
  }
  const std::string host = part_of(parsed.get(), CURLUPART_HOST, 0);
  const std::string scheme = part_of(parsed.get(), CURLUPART_SCHEME, 0);
  const std::string port = part_of(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  return {fmt::format("{}://{}{}{}", scheme, host, port.empty() ? "" : ":", port), host};
}

std::string because_of(int system_error) {
  if (system_error == 0) return {};
  return ": " + std::generic_category().message(system_error);
}

std::string connect_text(const CurlFailure& failure, const std::string& origin) {
  if (failure.system_error == ECONNREFUSED) return fmt::format("connection to {} refused", origin);
  return fmt::format("connection to {} failed{}", origin, because_of(failure.system_error));
}

std::string text_of(const CurlFailure& failure, const Origin& origin) {
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return fmt::format("could not resolve host {}", origin.host);
    case CURLE_COULDNT_CONNECT:
      return connect_text(failure, origin.text);
    case CURLE_GOT_NOTHING:
      return fmt::format("{} closed the connection without an answer", origin.text);
    case CURLE_PARTIAL_FILE:
      return fmt::format("the answer of {} ended early", origin.text);
    case CURLE_FILESIZE_EXCEEDED:
      return fmt::format("what {} answered is too long to be read, and has no end of its headers",
                         origin.text);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return fmt::format("the connection to {} broke{}", origin.text,
                         because_of(failure.system_error));
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (failure.connected) return fmt::format("{} did not answer in HTTP", origin.text);
      return fmt::format("{} is not an http or https address", origin.text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
      return fmt::format("no TLS connection to {}: {}", origin.text, failure.tls_detail);
    default:
      return fmt::format("request to {} failed: {}", origin.text, curl_easy_strerror(failure.code));
  }
}

Error deadline(const CurlFailure& failure, const std::string& origin) {
  if (!failure.connected && failure.connect_timeout < failure.timeout) {
    return {Code::deadline, fmt::format("no connection to {} within {}", origin,
                                        format_duration(failure.connect_timeout))};
  }
  return {Code::deadline, fmt::format("no complete answer from {} within {}", origin,
                                      format_duration(failure.timeout))};
}

}  // namespace

Error describe(const CurlFailure& failure) {
  const Origin origin = origin_of(failure.url);
  if (!failure.refused_address.empty()) {
    return {Code::address_refused,
            fmt::format("address {} of {} is not open to outgoing requests; add it to "
                        "outbound.allow if this receiver is yours",
                        failure.refused_address, origin.text)};
  }
  if (failure.code == CURLE_OPERATION_TIMEDOUT) return deadline(failure, origin.text);
  return {Code::connection_failed, text_of(failure, origin)};
}

}  // namespace postrider
