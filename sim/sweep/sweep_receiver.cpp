#include "sim/sweep/sweep_receiver.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "sim/history/webhook_request.hpp"

namespace postrider::sim {
namespace {

constexpr Duration latency = std::chrono::milliseconds{5};

std::string id_of(const HttpRequest& request) {
  if (const std::string* const id = header_of(request, "webhook-id")) return *id;
  const std::string path = request.url.substr(0, request.url.find('?'));
  return path.substr(path.rfind('/') + 1);
}

/// A request is in flight while it lives.
class Flight {
 public:
  Flight(SweepReceivers& receivers, std::string service)
      : receivers_(receivers), service_(std::move(service)) {
    receivers_.begin(service_);
  }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  ~Flight() { receivers_.end(service_); }

 private:
  SweepReceivers& receivers_;
  std::string service_;
};

}  // namespace

std::vector<std::int64_t> numbers_in(std::string_view body) {
  constexpr std::string_view key = "\"n\":";
  std::vector<std::int64_t> numbers;
  for (std::size_t at = body.find(key); at != std::string_view::npos; at = body.find(key, at + 1)) {
    const char* const begin = body.data() + at + key.size();
    std::from_chars(begin, body.data() + body.size(), numbers.emplace_back());
  }
  return numbers;
}

std::string SweepReceivers::service_of(const std::string& url) {
  constexpr std::string_view before = "http://";
  return url.substr(before.size(), url.find('.') - before.size());
}

void SweepReceivers::begin(const std::string& service) {
  if (++receivers_[service].in_flight > 1) {
    referee_.broken(Check::one_in_flight, fmt::format("two requests to {} at a time", service));
  }
}

int SweepReceivers::take(const HttpRequest& request) {
  const std::string service = service_of(request.url);
  const std::string id = id_of(request);
  Receiver& receiver = receivers_[service];
  const auto [sent, is_new] = receiver.seen.emplace(id, request.body->text());
  if (sent->second != request.body->text()) {
    referee_.broken(Check::same_bytes, fmt::format("{} comes again with other bytes", id));
  }
  if (receiver.last_id == id) return 200;
  const std::vector<std::int64_t> numbers = numbers_in(request.body->text());
  const int status = answer(service, ++receiver.requests, numbers.size());
  if (status != 200) return status;
  receiver.last_id = id;
  for (const std::int64_t number : numbers) {
    if (std::ranges::find(receiver.delivered, number) != receiver.delivered.end()) {
      referee_.broken(Check::linear_order,
                      fmt::format("{} gets {} twice, now in {}", service, number, id));
    }
    receiver.delivered.push_back(number);
  }
  return status;
}

Async<Result<HttpResponse>> SweepHttpClient::send(HttpRequest request) {
  const Flight flight(receivers_, SweepReceivers::service_of(request.url));
  co_await clock_.wait_until(runtime_.now() + latency);
  if (request.permit != nullptr && !request.permit->holds(runtime_.now())) {
    co_return fail(Code::session_ended, "the permit holds no more");
  }
  const auto fault = counter_.next(Port::request);
  if (fault == Fault::killed || fault == Fault::power_lost) ended_ = fault;
  if (ended_ || fault == Fault::unreachable) co_return fail(Code::connection_failed, "refused");
  HttpResponse response;
  response.status = fault == Fault::server_error ? 500 : receivers_.take(request);
  if (fault == Fault::unanswered) {
    co_await clock_.wait_until(runtime_.now() + request.timeout);
    co_return fail(Code::deadline, "no answer");
  }
  if (fault == Fault::reset) {
    const Code code = request.fresh_connection ? Code::connection_failed : Code::connection_lost;
    co_return fail(code, "the connection has ended");
  }
  co_return response;
}

}  // namespace postrider::sim
