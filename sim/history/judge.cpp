#include "sim/history/judge.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace postrider::sim {
namespace {

constexpr std::string_view body_begin = R"({"events":[)";
constexpr std::string_view body_end = "]}";
// Times on the disk are in milliseconds of the wall clock.
constexpr Duration clock_grain = std::chrono::milliseconds{2};

std::string name_of(const Judge::Address& address) {
  return fmt::format("transaction {}-{}", address.prefix, address.number);
}

}  // namespace

std::optional<Judge::Address> Judge::address_of(const std::string& url) {
  const std::size_t slash = url.rfind('/');
  const std::size_t dash = url.rfind('-');
  if (slash == std::string::npos || dash == std::string::npos || dash < slash) {
    referee_.broken(Check::same_bytes, fmt::format("a request to {}", url));
    return std::nullopt;
  }
  Address address{.prefix = url.substr(slash + 1, dash - slash - 1)};
  std::from_chars(url.data() + dash + 1, url.data() + url.size(), address.number);
  return address;
}

void Judge::hand_over(std::int64_t process) {
  delivering_ = process;
}

void Judge::begins(const Address& address, MonoTime now, std::int64_t process) {
  Record& record = records_[address.prefix];
  if (process != delivering_) {
    referee_.broken(
        Check::one_in_flight,
        fmt::format("{} goes out from a process that delivers no more", name_of(address)));
  }
  const ServiceLife* life = registrations_.find_by_prefix(address.prefix);
  const bool is_there = life != nullptr && !life->deleted;
  if (!is_there || (!life->pushed && record.operators == 0)) {
    referee_.broken(Check::linear_order,
                    fmt::format("{} goes to a service that was not to get any", name_of(address)));
  }
  if (record.paused) {
    referee_.broken(Check::paused, fmt::format("{} goes out while paused", name_of(address)));
  }
  if (record.in_flight) {
    referee_.broken(Check::one_in_flight,
                    fmt::format("{} goes out while another is under way", name_of(address)));
  }
  if (record.not_before && now + clock_grain < *record.not_before) {
    referee_.broken(Check::backoff, fmt::format("{} goes out {} s too early", name_of(address),
                                                seconds(*record.not_before - now)));
  }
  record.not_before.reset();
  record.in_flight = true;
}

void Judge::ends(const Address& address, MonoTime now, const Outcome& outcome,
                 std::int64_t process) {
  if (process != delivering_) return;
  Record& record = records_[address.prefix];
  record.in_flight = false;
  const bool kicked = std::exchange(record.kicked, false);
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
  for (auto& [prefix, record] : records_) {
    record.in_flight = false;
    record.not_before.reset();
    record.operators = 0;
    record.kicked = false;
    record.interval = {};
  }
}

void Judge::restore_backoff(const std::string& prefix, Duration interval, MonoTime not_before) {
  Record& record = records_[prefix];
  record.interval = interval;
  record.not_before = not_before;
}

void Judge::operator_begins(const std::string& prefix) {
  Record& record = records_[prefix];
  ++record.operators;
  record.not_before.reset();
}

void Judge::operator_ends(const std::string& prefix, bool forgets_failures) {
  Record& record = records_[prefix];
  record.operators = std::max(0, record.operators - 1);
  record.not_before.reset();
  record.kicked = true;
  if (forgets_failures) record.interval = {};
}

void Judge::set_paused(const std::string& prefix, bool paused) {
  records_[prefix].paused = paused;
}

void Judge::clock_jumped() {
  for (auto& [prefix, record] : records_) record.not_before.reset();
}

void Judge::arrived(const Address& address, const std::string& body, bool processed, MonoTime now,
                    std::int64_t process) {
  Record& record = records_[address.prefix];
  const auto newest = static_cast<std::int64_t>(record.transactions.size());
  if (address.number == newest + 1) {
    take_new(address, record, body);
    record.arrivals.resize(record.facts.size(), now);
  } else if (address.number == newest ||
             (process != delivering_ && address.number >= 1 && address.number < newest)) {
    // What a process sent before it lost its session may arrive long after.
    check_again(address, record, body);
  } else {
    referee_.broken(Check::same_bytes,
                    fmt::format("{} came after number {}", name_of(address), newest));
  }
  if (!processed || record.processed >= address.number) return;
  record.processed = address.number;
  record.processed_facts = record.facts.size();
}

void Judge::check_again(const Address& address, const Record& record, const std::string& body) {
  ++retries_;
  const std::string& first = record.transactions.at(static_cast<std::size_t>(address.number) - 1);
  if (body == first) return;
  referee_.broken(Check::same_bytes,
                  fmt::format("{} came as\n{}\nand then as\n{}", name_of(address), first, body));
}

void Judge::take_new(const Address& address, Record& record, const std::string& body) {
  ++transactions_;
  if (record.processed != address.number - 1) {
    referee_.broken(Check::same_bytes,
                    fmt::format("{} came before the one before it was taken in", name_of(address)));
  }
  const auto facts = facts_of(address, body);
  record.transactions.push_back(body);
  record.facts.insert(record.facts.end(), facts.begin(), facts.end());
}

/// The facts of a body that is exactly what it must be: their payloads, joined.
std::vector<std::int64_t> Judge::facts_of(const Address& address, const std::string& body) {
  std::vector<std::int64_t> numbers;
  std::string expected(body_begin);
  std::size_t bytes = 0;
  std::string_view rest = body;
  for (std::size_t at = rest.find("\"n\":"); at != std::string_view::npos;
       at = rest.find("\"n\":")) {
    const std::size_t end = std::min(rest.find('}', at), rest.size());
    const auto number = number_in(rest.substr(0, end));
    rest.remove_prefix(end);
    if (!number || *number < 1 || static_cast<std::size_t>(*number) > ledger_.size()) break;
    if (!numbers.empty()) expected += ',';
    const std::string& payload = ledger_.fact(*number).payload;
    expected += payload;
    bytes += payload.size();
    numbers.push_back(*number);
  }
  expected += body_end;
  if (expected != body || numbers.empty()) {
    referee_.broken(Check::same_bytes,
                    fmt::format("{} holds\n{}\nand not\n{}", name_of(address), body, expected));
  }
  const bool too_large = numbers.size() > 1 && bytes > limits_.bytes_max;
  if (numbers.size() > limits_.facts_max || too_large) {
    referee_.broken(
        Check::bounded_transaction,
        fmt::format("{} has {} facts of {} bytes", name_of(address), numbers.size(), bytes));
  }
  return numbers;
}

const Judge::Record& Judge::record(const std::string& prefix) const {
  static const Record none;
  const auto found = records_.find(prefix);
  return found == records_.end() ? none : found->second;
}

}  // namespace postrider::sim
