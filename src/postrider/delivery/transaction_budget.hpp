#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/runtime/event.hpp"
#include "postrider/stream/fact_batch.hpp"

namespace postrider {

/// The memory that transactions on their way to receivers hold together: the batches that their
/// facts are in, each counted once, however many receivers get it. What does not fit waits its
/// turn, without its facts. A single one always fits when nothing else is held.
///
/// A receiver that hangs holds its share until its time-out. So that it holds up few others, a
/// quarter of the bytes is for large transactions to receivers that are DOWN, half of them for
/// large ones to others, and a quarter for small ones.
///
/// Engine thread. Outlives whoever waits; shares may outlive it.
class TransactionBudget {
 public:
  using Batches = std::span<const std::shared_ptr<const FactBatch>>;

  enum class Receiver { healthy, down };

  /// What one transaction holds, until this ends.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { swap(other); }
    Share& operator=(Share&& other) noexcept {
      Share(std::move(other)).swap(*this);
      return *this;
    }
    ~Share();

   private:
    friend class TransactionBudget;
    explicit Share(const std::shared_ptr<TransactionBudget*>& budget) : budget_(budget) {}
    void swap(Share& other) noexcept;

    std::weak_ptr<TransactionBudget*> budget_;
    std::vector<std::shared_ptr<const FactBatch>> batches_;  ///< each counts once for all shares
    std::size_t bytes_ = 0;  ///< instead of batches that are not read yet
    std::size_t part_ = 0;   ///< that these are of
  };

  TransactionBudget(Runtime& runtime, std::size_t bytes_max);
  TransactionBudget(const TransactionBudget&) = delete;
  TransactionBudget& operator=(const TransactionBudget&) = delete;
  ~TransactionBudget() = default;

  /// Nothing when it does not fit, or others wait for as much.
  std::optional<Share> take(Batches batches, Receiver receiver);
  /// What those of `batches` take that no share holds yet.
  [[nodiscard]] std::size_t bytes_of(Batches batches) const;
  /// Until so many bytes are free, behind those that have waited longer. Errors: `stopping`.
  Async<Result<Share>> wait(std::size_t bytes, Receiver receiver);
  /// For `waited`, which `wait` returned, the share of what was read since. Nothing, and `waited`
  /// is given back, when that has become more and does not fit.
  std::optional<Share> exchange(Share waited, Batches batches);

  /// Whoever waits, or would, gets an error from now on.
  void request_stop();

  [[nodiscard]] std::size_t held_bytes() const;
  /// How many wait.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Waiter {
    Waiter(Runtime& runtime, std::size_t wanted) : bytes(wanted), ended(runtime) {}
    std::size_t bytes;
    bool granted = false;
    Event ended;
  };
  struct Part {
    std::size_t bytes_max = 0;
    std::size_t held = 0;
    std::list<Waiter> waiting;

    [[nodiscard]] bool fits(std::size_t bytes) const {
      return bytes == 0 || held == 0 || held + bytes <= bytes_max;
    }
  };
  /// Of a batch, which is in the part of the first one.
  struct Holders {
    std::size_t shares = 0;
    std::size_t bytes = 0;
    std::size_t part = 0;
  };

  [[nodiscard]] std::size_t part_of(std::size_t bytes, Receiver receiver) const;
  Share share_of(Batches batches, std::size_t part);
  void give_back(const Share& share);
  void wake(Part& part);
  void warn();

  Runtime& runtime_;
  const std::size_t small_bytes_max_;
  std::array<Part, 3> parts_;
  std::list<Waiter> ended_;  ///< whose coroutines have not gone on yet
  std::unordered_map<const FactBatch*, Holders> holders_;
  MonoTime warned_at_ = MonoTime::min();
  bool stopping_ = false;
  std::shared_ptr<TransactionBudget*> self_;
};

}  // namespace postrider
