#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "postrider/drivers/curl/curl_http_client.hpp"
#include "postrider/drivers/curl/raw_receiver.hpp"

namespace postrider {

inline CurlHttpClientSettings loopback_allowed() {
  CurlHttpClientSettings settings;
  const std::vector<std::string> allow = {"127.0.0.0/8"};
  settings.policy = AddressPolicy::parse(allow).value();
  settings.user_agent = "Postrider/test";
  return settings;
}

inline HttpRequest request_to(std::string url, Duration timeout = std::chrono::seconds{20}) {
  HttpRequest request;
  request.method = "PUT";
  request.url = std::move(url);
  request.body = std::make_shared<const HttpBody>("{}");
  request.timeout = timeout;
  return request;
}

/// A client on an engine that the test runs.
class CurlClientTest : public testing::Test {
 protected:
  void start(CurlHttpClientSettings settings) {
    client_.emplace(engine_.get_executor(), std::move(settings));
  }

  /// Begins the request; its outcome is in `outcomes_` once the engine ran it to the end.
  void begin(HttpRequest request) {
    boost::asio::co_spawn(engine_, client_->send(std::move(request)),
                          [this](std::exception_ptr thrown, Result<HttpResponse> outcome) {
                            EXPECT_EQ(thrown, nullptr);
                            outcomes_.push_back(std::move(outcome));
                          });
  }

  void run_to_the_end() {
    engine_.run();
    engine_.restart();
  }

  Result<HttpResponse> exchange(HttpRequest request) {
    outcomes_.clear();
    begin(std::move(request));
    run_to_the_end();
    EXPECT_EQ(outcomes_.size(), 1U);
    return std::move(outcomes_.front());
  }

  void expect_error(HttpRequest request, Code code, const std::string& detail) {
    const Result<HttpResponse> outcome = exchange(std::move(request));
    ASSERT_FALSE(outcome) << "status " << outcome->status;
    EXPECT_EQ(outcome.error().code, code);
    EXPECT_EQ(outcome.error().detail, detail);
  }

  boost::asio::io_context engine_;
  std::optional<CurlHttpClient> client_;
  std::vector<Result<HttpResponse>> outcomes_;
};

inline const std::string ok_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

}  // namespace postrider
