#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/strong.hpp"
#include "sim/history/damage.hpp"
#include "sim/history/referee.hpp"
#include "sim/model/rules.hpp"
#include "sim/world/timeline.hpp"

namespace postrider::sim {

/// A fact as it was sent. Its number stands in its payload, so that it is known again anywhere.
struct SentFact {
  std::int64_t number = 0;
  std::string stream;
  PlainFact plain;
  std::string payload;
  MonoTime sent_at{};  ///< for the first time
};

/// The memory outside the world: what was sent, what was answered, and where facts turned out to
/// stand. Whatever contradicts itself is reported.
class Ledger {
 public:
  using Positions = std::map<std::int64_t, std::int64_t>;  ///< stream ID to number

  Ledger(Referee& referee, const Timeline& timeline) : referee_(referee), timeline_(timeline) {}

  /// Gives the fact its number and its payload.
  const SentFact& send(std::string stream, PlainFact plain, std::size_t padding);
  [[nodiscard]] const SentFact& fact(std::int64_t number) const;
  [[nodiscard]] std::size_t size() const { return facts_.size(); }
  /// How many appends were answered.
  [[nodiscard]] std::int64_t answers() const { return answers_; }

  /// An append was answered 2xx: its facts stand from `first` to `last`, others perhaps between.
  void answered(const std::string& stream, StreamId first, StreamId last,
                const std::vector<std::int64_t>& numbers);
  /// A fact was read back.
  void seen(const std::string& stream, StreamId id, std::string_view payload);
  /// All facts of the stream after `after` and up to `through` were read back: none that was
  /// answered may be missing.
  void seen_all(const std::string& stream, StreamId after, StreamId through,
                const std::map<std::int64_t, std::string>& payloads);

  /// Every fact whose place is known.
  [[nodiscard]] const Positions& positions(const std::string& stream) const;
  /// Where the fact stands in its stream, when that is known.
  [[nodiscard]] std::optional<StreamId> place_of(std::int64_t number) const;
  /// The largest ID that an answer named.
  [[nodiscard]] StreamId last_answered(const std::string& stream) const;
  /// When the append that brought the fact was answered; empty: it was not.
  [[nodiscard]] std::optional<MonoTime> answered_at(std::int64_t number) const;

  /// What of it was altered on the disk.
  [[nodiscard]] Damage& damage() { return damage_; }
  [[nodiscard]] const Damage& damage() const { return damage_; }

 private:
  /// A fact that was answered without its place.
  struct Between {
    StreamId first;
    StreamId last;
    std::int64_t number = 0;
  };
  void place(const std::string& stream, StreamId id, std::int64_t number);

  Referee& referee_;
  const Timeline& timeline_;
  std::map<std::int64_t, SentFact> facts_;
  std::map<std::string, Positions> positions_;
  std::map<std::string, Positions> answered_;
  std::map<std::string, std::vector<Between>> answered_between_;
  std::map<std::int64_t, StreamId> places_;
  std::map<std::int64_t, MonoTime> answer_times_;
  std::int64_t answers_ = 0;
  Damage damage_;
};

/// The number of a fact from its payload; empty when there is none.
std::optional<std::int64_t> number_in(std::string_view payload);

}  // namespace postrider::sim
