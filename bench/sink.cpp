// A receiver that costs as little as it can: answers every request 200 {} and counts facts.
//   bench_sink    prints its port
//   GET /stats    {"requests":…,"facts":…,"latency_us":{"count":…,"p50":…,"p99":…}}
//   POST /reset   forgets what was counted
// Facts are counted as occurrences of "origin_server_ts":, once in each recorded fact. A fact that
// carries "sent_ns":N, the monotonic clock when it was sent, also counts into the latency.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace {
namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t request_bytes_max = std::size_t{64} << 20;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

class Counters {
 public:
  void count(std::string_view body) {
    ++requests_;
    static const std::boyer_moore_horspool_searcher fact(fact_key.begin(), fact_key.end());
    for (auto at = body.begin(); (at = std::search(at, body.end(), fact)) != body.end();
         at += fact_key.size()) {
      ++facts_;
    }
    count_latency(body);
  }

  void reset() { *this = {}; }

  std::string json() {
    std::ranges::sort(latencies_us_);
    return fmt::format(
        R"({{"requests":{},"facts":{},"latency_us":{{"count":{},"p50":{},"p99":{}}}}})", requests_,
        facts_, latencies_us_.size(), percentile(50), percentile(99));
  }

 private:
  static constexpr std::string_view fact_key = "\"origin_server_ts\":";
  static constexpr std::string_view sent_key = "\"sent_ns\":";

  void count_latency(std::string_view body) {
    const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
    for (auto at = body.find(sent_key); at != body.npos;
         at = body.find(sent_key, at + sent_key.size())) {
      std::int64_t sent = 0;
      std::from_chars(body.data() + at + sent_key.size(), body.data() + body.size(), sent);
      latencies_us_.push_back((now - sent) / 1000);
    }
  }

  std::int64_t percentile(std::size_t percent) const {
    if (latencies_us_.empty()) return 0;
    return latencies_us_[std::min(latencies_us_.size() - 1, latencies_us_.size() * percent / 100)];
  }

  std::uint64_t requests_ = 0;
  std::uint64_t facts_ = 0;
  std::vector<std::int64_t> latencies_us_;
};

std::size_t content_length(std::string_view head) {
  std::string lower(head);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  constexpr std::string_view name = "\r\ncontent-length:";
  const auto at = lower.find(name);
  if (at == lower.npos) return 0;
  const auto digits = lower.find_first_of("0123456789", at + name.size());
  std::size_t length = 0;
  std::from_chars(lower.data() + digits, lower.data() + lower.size(), length);
  return length;
}

std::string respond(Counters& counters, std::string_view head, std::string_view body) {
  std::string answer = "{}";
  if (head.starts_with("GET /stats")) {
    answer = counters.json();
  } else if (head.starts_with("POST /reset")) {
    counters.reset();
  } else {
    counters.count(body);
  }
  return fmt::format(
      "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
      answer.size(), answer);
}

asio::awaitable<void> serve(tcp::socket socket, Counters& counters) {
  socket.set_option(tcp::no_delay(true));
  std::string input;
  for (;;) {
    auto buffer = asio::dynamic_buffer(input, request_bytes_max);
    const auto [head_error, head_size] =
        co_await asio::async_read_until(socket, buffer, "\r\n\r\n", as_result);
    if (head_error) co_return;
    const std::size_t whole = head_size + content_length({input.data(), head_size});
    if (input.size() < whole) {
      const auto [body_error, read] = co_await asio::async_read(
          socket, buffer, asio::transfer_exactly(whole - input.size()), as_result);
      if (body_error) co_return;
    }
    const std::string_view request(input.data(), whole);
    const std::string answer =
        respond(counters, request.substr(0, head_size), request.substr(head_size));
    input.erase(0, whole);
    const auto [write_error, written] =
        co_await asio::async_write(socket, asio::buffer(answer), as_result);
    if (write_error) co_return;
  }
}

void end_on_exception(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, Counters& counters) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), counters), end_on_exception);
  }
}
}  // namespace

int main() {
  asio::io_context io{1};
  Counters counters;
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  asio::co_spawn(io, accept(acceptor, counters), end_on_exception);
  fmt::print("{}\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  io.run();
}
