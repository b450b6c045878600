#include "sim/history/ledger.hpp"

#include <charconv>

#include <fmt/format.h>

#include "postrider/base/assert.hpp"

namespace postrider::sim {
namespace {

constexpr std::string_view number_key = "\"n\":";

std::string content_of(const PlainFact& plain) {
  if (!plain.membership.empty()) return fmt::format(R"("membership":"{}",)", plain.membership);
  if (plain.aliases.empty()) return {};
  return fmt::format(R"("alias":"{}",)", plain.aliases.front());
}

/// Text that hardly gets smaller when it is compressed.
std::string noise(std::int64_t seed, std::size_t size) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
  auto state = static_cast<std::uint64_t>(seed);
  std::string text(size, ' ');
  for (char& letter : text) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    letter = letters[state >> 58U];
  }
  return text;
}

std::string payload_of(const PlainFact& plain, std::int64_t number, std::size_t padding) {
  std::string state_key;
  if (plain.state_key) state_key = fmt::format(R"("state_key":"{}",)", *plain.state_key);
  return fmt::format(R"({{"type":"{}","sender":"{}","room_id":"{}",{}"content":{{{}"pad":"{}"}},)"
                     R"("n":{}}})",
                     plain.type, plain.sender, plain.room, state_key, content_of(plain),
                     noise(number, padding), number);
}

}  // namespace

std::optional<std::int64_t> number_in(std::string_view payload) {
  const std::size_t at = payload.rfind(number_key);
  if (at == std::string_view::npos) return std::nullopt;
  const char* const begin = payload.data() + at + number_key.size();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(begin, payload.data() + payload.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

const SentFact& Ledger::send(std::string stream, PlainFact plain, std::size_t padding) {
  const auto number = static_cast<std::int64_t>(facts_.size()) + 1;
  std::string payload = payload_of(plain, number, padding);
  return facts_
      .emplace(number, SentFact{number, std::move(stream), std::move(plain), std::move(payload),
                                timeline_.now()})
      .first->second;
}

const SentFact& Ledger::fact(std::int64_t number) const {
  const auto found = facts_.find(number);
  POSTRIDER_ASSERT(found != facts_.end(), "no fact {}", number);
  return found->second;
}

void Ledger::place(const std::string& stream, StreamId id, std::int64_t number) {
  const auto [standing, fresh] = positions_[stream].emplace(id.value, number);
  if (!fresh && standing->second != number) {
    referee_.broken(Check::durable_append, fmt::format("{} {} held fact {} and now holds fact {}",
                                                       stream, id, standing->second, number));
  }
  const auto [place, first_time] = places_.emplace(number, id);
  if (!first_time && place->second != id) {
    referee_.broken(Check::durable_append, fmt::format("fact {} stands in {} at {} and at {}",
                                                       number, stream, place->second, id));
  }
}

void Ledger::answered(const std::string& stream, StreamId first, StreamId last,
                      const std::vector<std::int64_t>& numbers) {
  ++answers_;
  const bool has_gaps = last.value - first.value + 1 > std::ssize(numbers);
  StreamId id = first;
  for (const std::int64_t number : numbers) {
    answer_times_.emplace(number, timeline_.now());
    if (number == numbers.back()) id = last;
    if (has_gaps && number != numbers.front() && number != numbers.back()) {
      answered_between_[stream].push_back({first, last, number});
    } else {
      place(stream, id, number);
      answered_[stream].emplace(id.value, number);
    }
    id = id.plus(1);
  }
}

StreamId Ledger::last_answered(const std::string& stream) const {
  const auto found = answered_.find(stream);
  if (found == answered_.end() || found->second.empty()) return {};
  return StreamId{found->second.rbegin()->first};
}

void Ledger::seen(const std::string& stream, StreamId id, std::string_view payload) {
  const auto number = number_in(payload);
  if (!number || !facts_.contains(*number)) {
    referee_.broken(Check::durable_append,
                    fmt::format("{} {} holds what nobody sent: {}", stream, id, payload));
    return;
  }
  const SentFact& sent = facts_.at(*number);
  if (sent.payload != payload || sent.stream != stream) {
    referee_.broken(Check::durable_append,
                    fmt::format("{} {} holds fact {} otherwise than it was sent: {}", stream, id,
                                *number, payload));
  }
  place(stream, id, *number);
}

void Ledger::seen_all(const std::string& stream, StreamId after, StreamId through,
                      const std::map<std::int64_t, std::string>& payloads) {
  for (const auto& [id, payload] : payloads) seen(stream, StreamId{id}, payload);
  const Positions& answered = answered_[stream];
  for (auto at = answered.upper_bound(after.value);
       at != answered.end() && at->first <= through.value; ++at) {
    if (!payloads.contains(at->first)) {
      referee_.broken(Check::durable_append,
                      fmt::format("fact {} was answered at {} {}, and is not there", at->second,
                                  stream, at->first));
    }
  }
  for (const Between& between : answered_between_[stream]) {
    if (between.first <= after || between.last > through) continue;
    const auto found = places_.find(between.number);
    if (found != places_.end() && found->second > between.first && found->second < between.last) {
      continue;
    }
    referee_.broken(Check::durable_append,
                    fmt::format("fact {} was answered between {} and {} of {}, and is not there",
                                between.number, between.first, between.last, stream));
  }
}

const Ledger::Positions& Ledger::positions(const std::string& stream) const {
  static const Positions none;
  const auto found = positions_.find(stream);
  return found == positions_.end() ? none : found->second;
}

std::optional<StreamId> Ledger::place_of(std::int64_t number) const {
  const auto found = places_.find(number);
  if (found == places_.end()) return std::nullopt;
  return found->second;
}

std::optional<MonoTime> Ledger::answered_at(std::int64_t number) const {
  const auto found = answer_times_.find(number);
  if (found == answer_times_.end()) return std::nullopt;
  return found->second;
}

}  // namespace postrider::sim
