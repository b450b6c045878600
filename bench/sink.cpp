// A receiver that costs as little as it can: answers every request 200 {} and counts facts.
//   bench_sink    prints its port
//   GET /stats    {"requests":…,"facts":…,"last_ns":…,"seq_sum":…,"out_of_order":…,
//                  "latency_us":{"count":…,"p50":…,"p99":…}}
//   POST /reset   forgets what was counted
// Facts are counted as occurrences of "origin_server_ts":, once in each recorded fact. A fact that
// carries "sent_ns":N, the monotonic clock when it was sent, also counts into the latency; one with
// "seq":N into the sum of these, and as out of order when N is not above all before it at its
// receiver, which is RECEIVER in the path /r/RECEIVER/…
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
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
  void count(std::string_view path, std::string_view body) {
    ++requests_;
    last_ns_ = std::chrono::steady_clock::now().time_since_epoch().count();
    static const std::boyer_moore_horspool_searcher fact(fact_key.begin(), fact_key.end());
    for (auto at = body.begin(); (at = std::search(at, body.end(), fact)) != body.end();
         at += fact_key.size()) {
      ++facts_;
    }
    count_marks(body, highest_[std::string(path.substr(0, path.find('/', receiver_prefix)))]);
  }

  void reset() { *this = {}; }

  std::string json() {
    std::ranges::sort(latencies_us_);
    return fmt::format(R"({{"requests":{},"facts":{},"last_ns":{},"seq_sum":{},"out_of_order":{},)"
                       R"("latency_us":{{"count":{},"p50":{},"p99":{}}}}})",
                       requests_, facts_, last_ns_, seq_sum_, out_of_order_, latencies_us_.size(),
                       percentile(50), percentile(99));
  }

 private:
  static constexpr std::string_view fact_key = "\"origin_server_ts\":";
  static constexpr std::string_view mark = "\"se";
  static constexpr std::string_view sent_key = "\"sent_ns\":";
  static constexpr std::string_view seq_key = "\"seq\":";
  static constexpr std::size_t receiver_prefix = std::string_view("/r/").size();

  /** Both keys in one pass; in which order a fact has them does not matter. */
  void count_marks(std::string_view body, std::int64_t& highest) {
    for (auto at = body.find(mark); at != body.npos; at = body.find(mark, at + mark.size())) {
      const std::string_view rest = body.substr(at);
      if (rest.starts_with(sent_key)) {
        latencies_us_.push_back((last_ns_ - number(rest.substr(sent_key.size()))) / 1000);
      } else if (rest.starts_with(seq_key)) {
        const std::int64_t seq = number(rest.substr(seq_key.size()));
        seq_sum_ += seq;
        if (seq <= highest) ++out_of_order_;
        highest = std::max(highest, seq);
      }
    }
  }

  static std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

  std::int64_t percentile(std::size_t percent) const {
    if (latencies_us_.empty()) return 0;
    return latencies_us_[std::min(latencies_us_.size() - 1, latencies_us_.size() * percent / 100)];
  }

  std::uint64_t requests_ = 0;
  std::uint64_t facts_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::int64_t last_ns_ = 0;
  std::int64_t seq_sum_ = 0;
  std::unordered_map<std::string, std::int64_t> highest_;
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

/** `/r/7/transactions` of `PUT /r/7/transactions HTTP/1.1`. */
std::string_view path_of(std::string_view head) {
  const std::string_view path = head.substr(std::min(head.find(' '), head.size() - 1) + 1);
  return path.substr(0, path.find_first_of(" ?"));
}

std::string respond(Counters& counters, std::string_view head, std::string_view body) {
  std::string answer = "{}";
  if (head.starts_with("GET /stats")) {
    answer = counters.json();
  } else if (head.starts_with("POST /reset")) {
    counters.reset();
  } else {
    counters.count(path_of(head), body);
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
