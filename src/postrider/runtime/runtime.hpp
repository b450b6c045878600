#pragma once

#include <cstdint>
#include <functional>

#include <boost/asio/any_io_executor.hpp>

#include "postrider/base/time.hpp"

namespace postrider {

/// All that the engine may know of time and chance. One object is one engine thread: every member
/// is called on that thread, and every callback runs on it.
class Runtime {
 public:
  Runtime() = default;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  virtual ~Runtime() = default;

  /// For intervals; never goes back.
  [[nodiscard]] virtual MonoTime now() const noexcept = 0;
  /// For what is stored or shown; may jump in both directions.
  [[nodiscard]] virtual WallTime wall_now() const noexcept = 0;
  /// Uniform in [0, bound). `bound` is at least 1.
  virtual std::uint64_t random(std::uint64_t bound) = 0;

  /// Where engine coroutines run.
  [[nodiscard]] virtual boost::asio::any_io_executor executor() = 0;

  using TimerId = std::uint64_t;
  /// Runs `callback` once at or after `when`.
  virtual TimerId call_at(MonoTime when, std::move_only_function<void()> callback) = 0;
  /// The callback will not run afterwards; false when it already has.
  virtual bool cancel(TimerId timer) = 0;
};

}  // namespace postrider
