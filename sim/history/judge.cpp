#include "sim/history/judge.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "sim/history/webhook_request.hpp"

namespace postrider::sim {
namespace {

constexpr std::string_view matrix_begin = R"({"events":[)";
constexpr std::string_view number_key = "\"n\":";
constexpr std::string_view first_key = "\"first\":";
constexpr std::string_view last_key = "\"last\":";
constexpr std::string_view body_end = "]}";
// Times on the disk are in milliseconds of the wall clock.
constexpr Duration clock_grain = std::chrono::milliseconds{2};

std::string name_of(const Judge::Address& address) {
  return fmt::format("transaction {}-{}", address.prefix, address.number);
}

StreamId place_in(std::string_view body, std::string_view key) {
  std::int64_t place = 0;
  const std::size_t at = body.find(key);
  if (at == std::string_view::npos) return {};
  std::from_chars(body.data() + at + key.size(), body.data() + body.size(), place);
  return StreamId{place};
}

}  // namespace

void Judge::broken(Check check, const Address& address, std::string_view what) {
  referee_.broken(check, fmt::format("{} {}", name_of(address), what));
}

std::optional<Judge::Address> Judge::address_of(const HttpRequest& request) {
  Address address;
  const std::string* id = header_of(request, "webhook-id");
  address.webhook = request.method == "POST" && id != nullptr;
  std::string_view text = request.url;
  text = address.webhook ? *id : text.substr(text.rfind('/') + 1);
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos || (!address.webhook && request.method != "PUT")) {
    referee_.broken(Check::same_bytes, fmt::format("{} {}", request.method, request.url));
    return std::nullopt;
  }
  address.prefix = text.substr(0, dash);
  std::from_chars(text.data() + dash + 1, text.data() + text.size(), address.number);
  return address;
}

void Judge::check_webhook(const Address& address, const HttpRequest& request, WallTime now) {
  const ServiceLife* life = registrations_.find_by_prefix(address.prefix);
  if (life == nullptr) return;
  const std::string fault = webhook_fault(request, life->id, now);
  if (!fault.empty()) broken(Check::webhook, address, fault);
}

void Judge::hand_over(std::int64_t process) {
  if (process != delivering_) forget_sent();
  delivering_ = process;
}

void Judge::forget_sent() {
  for (auto& [prefix, record] : records_) record.sent = 0;
}

void Judge::begins(const Address& address, MonoTime now, std::int64_t process) {
  Record& record = records_[address.prefix];
  if (process != delivering_) {
    broken(Check::one_in_flight, address, "goes out from a process that delivers no more");
  }
  check_receiver(address, record);
  if (record.paused || record.stopped) {
    broken(Check::paused, address, "goes out while paused");
  }
  if (record.in_flight) {
    broken(Check::one_in_flight, address, "goes out while another is under way");
  }
  if (record.not_before && now + clock_grain < *record.not_before) {
    broken(Check::backoff, address,
           fmt::format("goes out {} s too early", seconds(*record.not_before - now)));
  }
  if (address.number < record.sent) {
    broken(Check::same_bytes, address, fmt::format("goes out after number {}", record.sent));
  }
  record.sent = address.number;
  record.not_before.reset();
  record.in_flight = true;
}

void Judge::leaves(const Address& address, std::int64_t process) {
  if (process == delivering_) return;
  broken(Check::one_in_flight, address, "leaves a process that delivers no more");
}

/// Whether the service exists, has a URL, and is of the kind that the transaction is made for.
void Judge::check_receiver(const Address& address, const Record& record) {
  const ServiceLife* life = registrations_.find_by_prefix(address.prefix);
  const bool is_there = life != nullptr && !life->deleted;
  if (!is_there || (!life->pushed && record.operators == 0)) {
    return broken(Check::linear_order, address, "goes to a service that was not to get any");
  }
  if (std::holds_alternative<PlainWebhook>(life->versions.back().service) != address.webhook) {
    broken(Check::linear_order, address, "is made for another kind of receiver");
  }
}

void Judge::ends(const Address& address, MonoTime now, const Outcome& outcome,
                 std::int64_t process) {
  if (process != delivering_) return;
  Record& record = records_[address.prefix];
  record.in_flight = false;
  if (outcome.untried) return;
  const bool kicked = std::exchange(record.kicked, false);
  if (outcome.stop) record.stopped = !record.resuming;
  if (outcome.stop || outcome.split) return;
  if (outcome.success) {
    record.interval = {};
    return;
  }
  const Duration doubled = std::min(record.interval * backoff_.multiplier, backoff_.max);
  record.interval = record.interval == Duration{} ? backoff_.min : doubled;
  const Duration told = std::min(outcome.retry_after.value_or(Duration{}), backoff_.max);
  record.interval = std::max(record.interval, told);
  if (!kicked && record.operators == 0) record.not_before = now + record.interval;
}

void Judge::given_up(const Address& address, std::int64_t process) {
  if (process == delivering_) records_[address.prefix].in_flight = false;
}

void Judge::process_ended() {
  forget_sent();
  for (auto& [prefix, record] : records_) {
    record.in_flight = false;
    record.not_before.reset();
    record.operators = 0;
    record.kicked = false;
    record.interval = {};
    record.stopped = false;
    record.resuming = false;
    record.changed_since = true;
  }
}

void Judge::refused(const Address& address) {
  Record& record = records_[address.prefix];
  if (address.number != std::ssize(record.transactions)) return;
  record.refused = address.number;
  record.changed_since = record.operators > 0;
}

void Judge::restore_backoff(const std::string& prefix, Duration interval, MonoTime not_before) {
  Record& record = records_[prefix];
  record.interval = interval;
  record.not_before = not_before;
}

void Judge::operator_begins(const std::string& prefix) {
  Record& record = records_[prefix];
  ++record.operators;
  record.changed_since = true;
  record.not_before.reset();
}

void Judge::operator_ends(const std::string& prefix, bool forgets_failures) {
  Record& record = records_[prefix];
  record.operators = std::max(0, record.operators - 1);
  record.not_before.reset();
  record.kicked = true;
  if (record.operators == 0) record.resuming = false;
  if (forgets_failures) record.interval = {};
}

void Judge::set_paused(const std::string& prefix, bool paused) {
  Record& record = records_[prefix];
  record.paused = paused;
  if (paused) return;
  record.stopped = false;
  record.resuming = record.operators > 0;
}

void Judge::clock_jumped() {
  for (auto& [prefix, record] : records_) record.not_before.reset();
}

void Judge::arrived(const Address& address, const std::string& body, bool processed, MonoTime now,
                    std::int64_t process) {
  Record& record = records_[address.prefix];
  const auto newest = std::ssize(record.transactions);
  // What a process sent before it lost its session may arrive long after.
  const bool is_late = process != delivering_;
  if (address.number == newest + 1 || gives_up_frozen(address, record) ||
      gives_up_damaged(address, record)) {
    take_new(address, record, body);
  } else if (address.number >= 1 && address.number <= newest &&
             (is_late || address.number >= newest - behind_)) {
    check_again(address, record, body);
  } else {
    broken(Check::same_bytes, address, fmt::format("came after number {}", newest));
  }
  record.arrivals.resize(record.facts.size(), now);
  const bool is_newest = address.number == std::ssize(record.transactions);
  if (!processed || !is_newest || record.processed >= address.number) return;
  record.processed = address.number;
  record.processed_facts = record.facts.size();
}

void Judge::check_again(const Address& address, const Record& record, const std::string& body) {
  ++retries_;
  const Sent& first = record.transactions.at(static_cast<std::size_t>(address.number) - 1);
  if (body == first.body) return;
  broken(Check::same_bytes, address, fmt::format("came as\n{}\nand then as\n{}", first.body, body));
}

/// After one that was too large come the numbers of those that were frozen behind it. They are not
/// used again.
bool Judge::gives_up_frozen(const Address& address, const Record& record) const {
  const auto newest = std::ssize(record.transactions);
  return record.refused == newest && record.processed < newest && address.number > newest &&
         address.number <= newest + 1 + behind_;
}

/// A transaction that was frozen with facts that were altered since is not sent any more.
bool Judge::gives_up_damaged(const Address& address, const Record& record) const {
  const auto newest = std::ssize(record.transactions);
  return address.number > newest && address.number <= newest + 1 + ledger_.damage().count();
}

/// The facts of a transaction by its index in `record.transactions`.
std::span<const std::int64_t> Judge::facts_of_sent(const Record& record, std::size_t index) {
  const std::size_t begin = record.transactions[index].begin;
  const bool is_last = index + 1 == record.transactions.size();
  const std::size_t end = is_last ? record.facts.size() : record.transactions[index + 1].begin;
  return std::span(record.facts).subspan(begin, end - begin);
}

bool Judge::is_damaged(std::span<const std::int64_t> facts) const {
  return std::ranges::any_of(
      facts, [this](std::int64_t fact) { return ledger_.damage().is_damaged(fact); });
}

/// Facts that came in a transaction which was altered since may come again, in another one.
void Judge::leave_out_repeated(const Record& record, std::vector<std::int64_t>& facts) const {
  if (ledger_.damage().count() == 0) return;
  for (std::size_t i = 0; i < record.transactions.size(); ++i) {
    const auto sent = facts_of_sent(record, i);
    if (!is_damaged(sent)) continue;
    std::erase_if(facts, [sent](std::int64_t fact) { return std::ranges::count(sent, fact) > 0; });
  }
}

void Judge::take_new(const Address& address, Record& record, const std::string& body) {
  ++transactions_;
  std::vector<std::int64_t> facts = facts_of(address, body);
  std::size_t begin = record.facts.size();
  const auto newest = std::ssize(record.transactions);
  const bool was_damaged =
      newest > 0 && is_damaged(facts_of_sent(record, static_cast<std::size_t>(newest) - 1));
  if (record.processed != newest && was_damaged) {
    begin = record.transactions.back().begin;
    record.facts.resize(begin);
    record.arrivals.resize(begin);
  } else if (record.processed != newest) {
    if (record.refused == 0 || record.refused != newest) {
      broken(Check::same_bytes, address, "came before the one before it was taken in");
    } else {
      check_split(address, record, facts);
      begin = record.transactions.back().begin;
      record.facts.resize(begin);
      record.arrivals.resize(begin);
    }
  }
  leave_out_repeated(record, facts);
  record.transactions.resize(static_cast<std::size_t>(address.number) - 1, {{}, begin});
  record.transactions.push_back({body, begin});
  record.facts.insert(record.facts.end(), facts.begin(), facts.end());
}

/// What comes in place of a transaction that was too large, or before it when its stream could not
/// be read.
void Judge::check_split(const Address& address, const Record& record,
                        const std::vector<std::int64_t>& facts) {
  const std::size_t begin = record.transactions.back().begin;
  const std::size_t before = record.facts.size() - begin;
  if (facts.empty() || before == 0) {
    return broken(Check::linear_order, address, "comes in place of nothing");
  }
  const auto stream_of = [this](std::int64_t fact) { return ledger_.fact(fact).stream; };
  if (stream_of(facts.front()) != stream_of(record.facts[begin])) return;
  if (facts.front() != record.facts[begin]) {
    broken(Check::linear_order, address, "does not begin as the one that was too large");
  }
  if (facts.size() >= before && !record.changed_since) {
    broken(Check::bounded_transaction, address,
           fmt::format("has {} facts, and {} were too large", facts.size(), before));
  }
}

/// The facts of a body that is exactly what it must be: their payloads, joined.
std::vector<std::int64_t> Judge::facts_of(const Address& address, const std::string& body) {
  std::vector<std::int64_t> numbers;
  std::string payloads;
  std::size_t bytes = 0;
  std::string_view rest = body;
  for (std::size_t at = rest.find(number_key); at != std::string_view::npos;
       at = rest.find(number_key)) {
    const std::size_t end = std::min(rest.find('}', at), rest.size());
    const auto number = number_in(rest.substr(0, end));
    rest.remove_prefix(end);
    if (!number || *number < 1 || static_cast<std::size_t>(*number) > ledger_.size()) break;
    if (!numbers.empty()) payloads += ',';
    const std::string& payload = ledger_.fact(*number).payload;
    payloads += payload;
    bytes += payload.size();
    numbers.push_back(*number);
  }
  const std::string begin =
      address.webhook ? webhook_begin(address, body, numbers) : std::string(matrix_begin);
  if (begin + payloads + std::string(body_end) != body || numbers.empty()) {
    broken(Check::same_bytes, address,
           fmt::format("holds\n{}\nand not\n{}{}{}", body, begin, payloads, body_end));
  }
  const bool too_large = numbers.size() > 1 && bytes > limits_.bytes_max;
  if (numbers.size() > limits_.facts_max || too_large) {
    broken(Check::bounded_transaction, address,
           fmt::format("has {} facts of {} bytes", numbers.size(), bytes));
  }
  return numbers;
}

/// What stands before the facts of a webhook's body, which are all of one stream. Where the first
/// and the last of them are in it, the body alone says; it may contradict nothing that is known.
std::string Judge::webhook_begin(const Address& address, std::string_view body,
                                 const std::vector<std::int64_t>& facts) {
  if (facts.empty()) return {};
  const std::string& stream = ledger_.fact(facts.front()).stream;
  for (const std::int64_t number : facts) {
    const std::string& other = ledger_.fact(number).stream;
    if (other == stream) continue;
    broken(Check::webhook, address, fmt::format("holds facts of {} and of {}", stream, other));
  }
  const StreamId first = place_in(body, first_key);
  const StreamId last = place_in(body, last_key);
  check_place(address, facts.front(), first);
  check_place(address, facts.back(), last);
  return fmt::format(R"({{"id":"{}-{}","stream":"{}","first":{},"last":{},"facts":[)",
                     address.prefix, address.number, stream, first, last);
}

void Judge::check_place(const Address& address, std::int64_t fact, StreamId place) {
  const SentFact& sent = ledger_.fact(fact);
  // What is altered is left out, and counts in the place.
  if (ledger_.damage().find(sent.stream, place) != nullptr) return;
  const auto known = ledger_.place_of(fact);
  if (known && *known != place) {
    return broken(Check::webhook, address,
                  fmt::format("says that fact {} is at {}, and it is at {}", fact, place, *known));
  }
  // What is found there later must be this one.
  ledger_.seen(sent.stream, place, sent.payload);
}

const Judge::Record& Judge::record(const std::string& prefix) const {
  static const Record none;
  const auto found = records_.find(prefix);
  return found == records_.end() ? none : found->second;
}

}  // namespace postrider::sim
