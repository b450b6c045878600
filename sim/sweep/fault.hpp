#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace postrider::sim {

/// How one call fails.
enum class Fault : std::uint8_t {
  io_error,         ///< a statement or a commit fails, once, and has no effect
  disk_full,        ///< the same, and so do all for three seconds
  connection_lost,  ///< the database is away for a second, from a statement or a commit on
  commit_lost,      ///< a commit does not happen, its answer is lost, and the database is away
  answer_lost,      ///< a commit happens, its answer is lost, and the database is away
  unreachable,      ///< a request does not reach its receiver
  server_error,     ///< a request is answered 500
  unanswered,       ///< a request arrives, and its answer does not
  reset,            ///< the same, and the connection that was kept alive ends at once
  line_lost,        ///< a line of the bus does not arrive anywhere
  bus_lost,         ///< a process has no bus for a second, from a line on
  killed,           ///< the process ends at any call, which has no effect
  power_lost,       ///< the same, and the disk keeps what was synced and some of the rest
};

inline constexpr std::array all_faults = {
    Fault::io_error,    Fault::disk_full,   Fault::connection_lost, Fault::commit_lost,
    Fault::answer_lost, Fault::unreachable, Fault::server_error,    Fault::unanswered,
    Fault::reset,       Fault::line_lost,   Fault::bus_lost,        Fault::killed,
    Fault::power_lost};

/// As the command line has it.
std::string_view name_of(Fault fault);
std::optional<Fault> fault_of(std::string_view name);

/// What a process calls.
enum class Port : std::uint8_t { statement, commit, request, line };

/// Counts the calls of a run that a fault can fall on, from 1, and lets it fall on one of them.
class CallCounter {
 public:
  CallCounter(Fault fault, std::int64_t falls_on) : fault_(fault), falls_on_(falls_on) {}

  /// For each call: the fault, when it falls on this one.
  std::optional<Fault> next(Port port);

  [[nodiscard]] Fault fault() const { return fault_; }
  [[nodiscard]] std::int64_t calls() const { return calls_; }
  /// False when the run has made fewer calls.
  [[nodiscard]] bool has_fallen() const { return calls_ >= falls_on_; }

 private:
  Fault fault_;
  std::int64_t falls_on_;
  std::int64_t calls_ = 0;
};

}  // namespace postrider::sim
