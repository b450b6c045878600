#include "sim/history/network.hpp"

#include <array>

#include "sim/history/webhook_request.hpp"

namespace postrider::sim {
namespace {

using std::chrono::milliseconds;

constexpr Duration sound_latency_min = milliseconds{1};
constexpr Duration sound_latency_max = milliseconds{5};
constexpr Duration typical_connect = milliseconds{10};
constexpr int gone = 410;
constexpr int too_large = 413;

std::string host_of(const std::string& url) {
  const std::size_t begin = url.find("//") + 2;
  return url.substr(begin, url.find('/', begin) - begin);
}

Judge::Outcome outcome_of(const Exchange& exchange, const Result<HttpResponse>& answer) {
  if (!answer) {
    const Code code = answer.error().code;
    return {.untried = code == Code::connection_lost || code == Code::session_ended};
  }
  Judge::Outcome outcome{.success = answer->status >= 200 && answer->status < 300,
                         .retry_after = answer->retry_after};
  if (!exchange.address.webhook) return outcome;
  outcome.stop = answer->status == gone;
  outcome.split = answer->status == too_large && fact_count(exchange.request.body->text()) > 1;
  return outcome;
}

Error lost(std::string detail) {
  return {Code::connection_failed, std::move(detail)};
}

}  // namespace

Duration Network::draw_outage() {
  return random_.between(Duration{1}, faults_.mean_outage * 2);
}

bool Network::is_dead(const std::string& url) {
  if (faults_.mean_outage == Duration{}) return false;
  Receiver& receiver = receivers_[host_of(url)];
  while (receiver.changes_at <= world_.now()) {
    receiver.dead = !receiver.dead;
    receiver.changes_at += draw_outage();
  }
  return receiver.dead;
}

bool Network::is_sound(const std::string& url) const {
  return host_of(url) == faults_.sound_host;
}

Duration Network::draw_latency_to(const std::string& url) {
  if (is_sound(url)) return random_.between(sound_latency_min, sound_latency_max);
  return random_.heavy_tail(faults_.typical_latency, faults_.longest_latency);
}

Network::Fate Network::draw_fate(const Exchange& exchange) {
  if (is_sound(exchange.request.url)) return Fate::answered;
  if (is_dead(exchange.request.url)) return Fate::refused;
  if (exchange.address.webhook) {
    if (random_.chance(faults_.gone)) return Fate::gone;
    const bool is_large = fact_count(exchange.request.body->text()) > faults_.large_facts;
    if (is_large && random_.chance(faults_.too_large)) return Fate::too_large;
  }
  const int connection_lost = exchange.request.fresh_connection ? 0 : faults_.connection_lost;
  const std::array<std::pair<int, Fate>, 10> chances = {{{faults_.refused, Fate::refused},
                                                         {faults_.reset_before, Fate::reset_before},
                                                         {faults_.answer_lost, Fate::answer_lost},
                                                         {faults_.hangs, Fate::hangs},
                                                         {faults_.client_error, Fate::client_error},
                                                         {faults_.server_error, Fate::server_error},
                                                         {faults_.too_many, Fate::too_many},
                                                         {faults_.redirect, Fate::redirect},
                                                         {faults_.duplicated, Fate::duplicated},
                                                         {connection_lost, Fate::connection_lost}}};
  auto drawn = static_cast<int>(random_.below(1000));
  for (const auto& [permille, fate] : chances) {
    if (drawn < permille) return fate;
    drawn -= permille;
  }
  return Fate::answered;
}

void Network::heal() {
  const Duration typical = faults_.typical_latency;
  faults_ = {};
  faults_.typical_latency = typical;
  faults_.longest_latency = typical * 2;
}

bool Network::begin(Exchange& exchange) {
  const auto address = judge_.address_of(exchange.request);
  if (!address) return false;
  exchange.address = *address;
  judge_.begins(*address, world_.now(), exchange.process);
  if (address->webhook) judge_.check_webhook(*address, exchange.request, world_.wall_now());
  return true;
}

void Network::leave(std::shared_ptr<Exchange> exchange) {
  judge_.leaves(exchange->address, exchange->process);
  const Fate fate = draw_fate(*exchange);
  if (fate != Fate::answered) ++fault_count_;
  trace_.note("request", exchange->address.prefix,
              {exchange->address.number, static_cast<std::int64_t>(fate)});
  const Duration timeout = exchange->request.timeout;
  const Duration latency = draw_latency_to(exchange->request.url);
  if (latency >= timeout) {
    answer_later(std::move(exchange), timeout, fail(Code::deadline, "no connection in time"));
    return;
  }
  if (fate == Fate::refused || fate == Fate::reset_before) {
    answer_later(std::move(exchange), latency,
                 std::unexpected(lost(fate == Fate::refused ? "refused" : "reset")));
    return;
  }
  if (fate == Fate::connection_lost && random_.chance(500)) {
    answer_later(std::move(exchange), latency, fail(Code::connection_lost, "closed when idle"));
    return;
  }
  exchange->arrive = [this, weak = std::weak_ptr(exchange), fate] { arrive(weak.lock(), fate); };
  world_.call_at(world_.now() + latency, [exchange] {
    if (exchange->arrive) std::exchange(exchange->arrive, {})();
  });
}

void Network::cut_off(Exchange& exchange) {
  const auto arrive_now = std::exchange(exchange.arrive, {});
  if (arrive_now && random_.chance(500)) arrive_now();
}

Network::Fate Network::remembered(const Exchange& exchange, Fate fate) const {
  if (!exchange.address.webhook) return fate;
  const Judge::Record& record = judge_.record(exchange.address.prefix);
  const bool is_taken = record.processed >= exchange.address.number;
  if (is_taken) return fate == Fate::too_large ? Fate::answered : fate;
  const bool would_take = fate == Fate::answered || fate == Fate::answer_lost ||
                          fate == Fate::hangs || fate == Fate::duplicated ||
                          fate == Fate::connection_lost;
  return would_take && record.refused == exchange.address.number ? Fate::too_large : fate;
}

void Network::arrive(const std::shared_ptr<Exchange>& exchange, Fate drawn) {
  const Fate fate = remembered(*exchange, drawn);
  const bool hangs_after = fate == Fate::hangs && random_.chance(500);
  const bool duplicated = fate == Fate::duplicated;
  const bool processed = fate == Fate::answered || fate == Fate::answer_lost || hangs_after ||
                         duplicated || fate == Fate::connection_lost;
  trace_.note("arrives", exchange->address.prefix, {exchange->address.number, processed ? 1 : 0});
  for (int time = 0; time < (duplicated ? 2 : 1); ++time) {
    judge_.arrived(exchange->address, exchange->request.body->text(), processed, world_.now(),
                   exchange->process);
  }
  if (fate == Fate::too_large) judge_.refused(exchange->address);
  const Duration timeout = exchange->request.timeout;
  const Duration latency = draw_latency_to(exchange->request.url);
  if (fate == Fate::hangs || latency >= timeout) {
    answer_later(exchange, timeout, fail(Code::deadline, "no answer in time"));
  } else if (fate == Fate::answer_lost) {
    answer_later(exchange, latency, std::unexpected(lost("reset while waiting for the answer")));
  } else if (fate == Fate::connection_lost) {
    answer_later(exchange, latency, fail(Code::connection_lost, "closed after the request"));
  } else {
    answer_later(exchange, latency, response_of(fate, exchange->address.webhook));
  }
}

HttpResponse Network::response_of(Fate fate, bool is_webhook) {
  HttpResponse response;
  response.status = 200;
  if (fate == Fate::client_error) response.status = static_cast<int>(random_.between(400, 428));
  // Which only other kinds of receivers say without a reason.
  const bool has_meaning = response.status == gone || response.status == too_large;
  if (is_webhook && has_meaning) response.status = 400;
  if (fate == Fate::gone) response.status = gone;
  if (fate == Fate::too_large) response.status = too_large;
  if (fate == Fate::server_error) response.status = static_cast<int>(random_.between(500, 504));
  if (fate == Fate::redirect) response.status = 301;
  if (fate == Fate::too_many) {
    response.status = 429;
    response.retry_after = std::chrono::seconds{random_.between(0, 1000)};
  }
  return response;
}

void Network::answer_later(std::shared_ptr<Exchange> exchange, Duration after,
                           Result<HttpResponse> answer) {
  world_.call_at(world_.now() + after, [this, exchange = std::move(exchange),
                                        answer = std::move(answer)]() mutable {
    if (!exchange->answer) return;
    judge_.ends(exchange->address, world_.now(), outcome_of(*exchange, answer), exchange->process);
    trace_.note("answered", exchange->address.prefix,
                {exchange->address.number, answer ? answer->status : 0});
    std::exchange(exchange->answer, {})(std::move(answer));
  });
}

Async<Result<HttpResponse>> SimulatedHttpClient::send(HttpRequest request) {
  auto start = [this, &request](Reply<Result<HttpResponse>> answer) {
    const auto exchange = std::make_shared<Exchange>();
    exchange->request = std::move(request);
    exchange->answer = std::move(answer);
    exchange->process = process_;
    std::erase_if(open_, [](const auto& each) { return each.expired(); });
    open_.push_back(exchange);
    if (!network_.begin(*exchange)) return;
    if (longest_connect_ == Duration{}) return network_.leave(exchange);
    const Duration pause = random_.heavy_tail(typical_connect, longest_connect_);
    runtime_.call_at(runtime_.now() + pause, [this, exchange] { connect(exchange); });
  };
  co_return co_await await_reply<Result<HttpResponse>>(runtime_.executor(), start);
}

/// The connection is there. The process may have stood still meanwhile.
void SimulatedHttpClient::connect(std::shared_ptr<Exchange> exchange) {
  if (!exchange->answer) return;
  const auto& permit = exchange->request.permit;
  if (!permit || permit->holds(runtime_.now())) return network_.leave(std::move(exchange));
  network_.answer_later(std::move(exchange), {}, fail(Code::session_ended, "not sent"));
}

void SimulatedHttpClient::end_requests() {
  for (const auto& weak : std::exchange(open_, {})) {
    const auto exchange = weak.lock();
    if (!exchange || !exchange->answer) continue;
    network_.cut_off(*exchange);
    judge_.given_up(exchange->address, process_);
    std::exchange(exchange->answer, {})(fail(Code::stopping, "the server is stopping"));
  }
}

void SimulatedHttpClient::end() {
  for (const auto& weak : std::exchange(open_, {})) {
    const auto exchange = weak.lock();
    if (!exchange) continue;
    if (exchange->answer) network_.cut_off(*exchange);
    exchange->answer = {};
  }
}

}  // namespace postrider::sim
