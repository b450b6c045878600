#include "sim/history/examination.hpp"

#include <fmt/format.h>

namespace postrider::sim {
namespace {

// Ten times what the disk and the sound receiver need at their slowest.
constexpr Duration delay_max = std::chrono::seconds{5};

enum class Due : std::uint8_t { yes, no, either };

/// Whether a change had happened for the fact at `id`.
Due has_happened(const ChangePoint& change, const std::string& stream, StreamId id) {
  const auto before = change.before.find(stream);
  if (before != change.before.end() && id <= before->second) return Due::no;
  const auto after = change.after.find(stream);
  const StreamId settled = after == change.after.end() ? StreamId{} : after->second;
  return id > settled ? Due::yes : Due::either;
}

/// One stream as one service was to see it.
class Examiner {
 public:
  Examiner(Context& context, const ServiceLife& life, const std::string& stream)
      : context_(context),
        life_(life),
        stream_(stream),
        plain_stream_(stream, context.plan.engine.streams.declared.at(stream).format == "matrix",
                      context.plan.engine.catalog.server_name) {
    const Judge::Record& record = context.judge.record(life.prefix);
    for (std::size_t i = 0; i < record.facts.size(); ++i) {
      const SentFact& fact = context.ledger.fact(record.facts[i]);
      if (fact.stream != stream) continue;
      delivered_.push_back({fact.number, i < record.processed_facts, record.arrivals[i]});
    }
  }

  void run() {
    for (const auto& [id, number] : context_.ledger.positions(stream_)) {
      const PlainFact& fact = context_.ledger.fact(number).plain;
      examine(StreamId{id}, number, fact);
      const Damage::Fact* damaged = context_.ledger.damage().find(stream_, StreamId{id});
      if (damaged == nullptr || damaged->was_decided) plain_stream_.follow(fact);
    }
    if (next_ < delivered_.size()) {
      broken(fmt::format("got fact {} out of order, or twice", delivered_[next_].number));
    }
  }

 private:
  struct Delivered {
    std::int64_t number;
    bool processed;
    MonoTime arrived_at;
  };

  void broken(const std::string& what) {
    context_.referee.broken(Check::linear_order,
                            fmt::format("{} ({}) {} of {}", life_.id, life_.prefix, what, stream_));
  }

  void examine(StreamId id, std::int64_t number, const PlainFact& fact) {
    const Due due = is_due(id, fact);
    const bool comes_next = next_ < delivered_.size() && delivered_[next_].number == number;
    if (comes_next) {
      if (due == Due::no) broken(fmt::format("got fact {}, which is not for it,", number));
      if (due == Due::yes && is_whole() && !delivered_[next_].processed) {
        broken(fmt::format("has not taken in fact {}", number));
      }
      check_delay(delivered_[next_]);
      ++next_;
      return;
    }
    // While a later fact was delivered, or all should have been, a missing one is a gap.
    const bool more = next_ < delivered_.size();
    if (due == Due::yes && (more || is_whole()) && !context_.ledger.damage().excuses(stream_, id))
      broken(fmt::format("missed fact {}, {},", number, context_.ledger.fact(number).payload));
  }

  /// What is behind the sound host never waits for the others.
  void check_delay(const Delivered& delivered) {
    if (life_.id + ".test" != context_.plan.network.sound_host) return;
    const auto answered_at = context_.ledger.answered_at(delivered.number);
    if (!answered_at || delivered.arrived_at - *answered_at <= delay_max) return;
    context_.referee.broken(
        Check::isolation,
        fmt::format("{} ({}) got fact {} after {} s", life_.id, life_.prefix, delivered.number,
                    seconds(delivered.arrived_at - *answered_at)));
  }

  /// Nothing may be outstanding at the end.
  [[nodiscard]] bool is_whole() const { return life_.pushed && !life_.deleted; }

  Due is_due(StreamId id, const PlainFact& fact) {
    if (life_.deleted && has_happened(*life_.deleted, stream_, id) == Due::yes) return Due::no;
    bool may = false;
    bool must = !life_.deleted || has_happened(*life_.deleted, stream_, id) == Due::no;
    for (std::size_t i = 0; i < life_.versions.size(); ++i) {
      const Due begun = has_happened(life_.versions[i].since, stream_, id);
      const bool replaced = i + 1 < life_.versions.size() &&
                            has_happened(life_.versions[i + 1].since, stream_, id) == Due::yes;
      if (begun == Due::no || replaced) {
        if (i == 0 && begun == Due::no) must = false;
        continue;
      }
      if (i == 0 && begun == Due::either) must = false;
      const bool interested = plain_stream_.interests(life_.versions[i].service, fact);
      may = may || interested;
      must = must && interested;
    }
    if (must) return Due::yes;
    return may ? Due::either : Due::no;
  }

  Context& context_;
  const ServiceLife& life_;
  const std::string& stream_;
  PlainStream plain_stream_;
  std::vector<Delivered> delivered_;
  std::size_t next_ = 0;
};

}  // namespace

void examine_deliveries(Context& context) {
  for (const auto& life : context.registrations.all()) {
    for (const auto& [stream, declaration] : context.plan.engine.streams.declared) {
      Examiner(context, *life, stream).run();
    }
  }
}

}  // namespace postrider::sim
