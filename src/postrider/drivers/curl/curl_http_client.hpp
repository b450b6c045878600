#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "postrider/drivers/curl/curl_http_client_settings.hpp"
#include "postrider/runtime/http_client.hpp"

namespace postrider {

class CurlLoop;

/// Outgoing HTTP/1.1 over libcurl, on one thread of its own for all requests. No proxy, no
/// redirect, certificates are verified, and every address is checked as it is connected to.
///
/// What is answered is a value even when the body is longer than `response_bytes_max`: the rest is
/// not read and the connection is closed.
class CurlHttpClient final : public HttpClient {
 public:
  /// `engine` is where `send` completes; its context must outlive the client.
  CurlHttpClient(boost::asio::any_io_executor engine, CurlHttpClientSettings settings);
  ~CurlHttpClient() override;

  Async<Result<HttpResponse>> send(HttpRequest request) override;

  /// Fails what is in flight, and every `send` from now on, with `stopping`, closes all
  /// connections and joins the thread. On the engine thread; a second call does nothing.
  void stop();

 private:
  boost::asio::any_io_executor engine_;
  std::unique_ptr<CurlLoop> loop_;
};

}  // namespace postrider
