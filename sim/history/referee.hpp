#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::sim {

/// What a history must show. The numbers are those of the guarantees in ARCHITECTURE.md.
enum class Check : std::uint8_t {
  durable_append,       ///< 1: what was answered is there, once, as it was sent
  linear_order,         ///< 2: in stream order, without a gap, and nothing that is not of interest
  same_bytes,           ///< 3: a transaction's ID and bytes never change; its IDs count up
  one_in_flight,        ///< 4
  bounded_transaction,  ///< 5: no transaction is larger than the settings allow
  token,                ///< 7: a reader never gets what lies before its token
  backoff,              ///< 8: nothing is tried before its time
  paused,               ///< what an operator stopped stays stopped
  audit,                ///< what lies on the disk is whole and fits together
  liveness,             ///< when faults stop, everything that waits is delivered in a stated time
  idle,                 ///< and then nothing is left over, on the disk or in memory
  webhook,              ///< a webhook's request is signed right and says what it holds
  isolation,            ///< 5: a dead or slow receiver delays no other
  fails_alone,          ///< an append that the database refuses fails no other
  repeatable,           ///< a seed's history is the same each time
};

std::string_view name_of(Check check);

/// Keeps the first check that broke.
class Referee {
 public:
  struct Verdict {
    Check check;
    std::string detail;
  };

  void broken(Check check, std::string detail) {
    if (!verdict_) verdict_ = Verdict{check, std::move(detail)};
  }
  [[nodiscard]] const std::optional<Verdict>& verdict() const { return verdict_; }

 private:
  std::optional<Verdict> verdict_;
};

}  // namespace postrider::sim
