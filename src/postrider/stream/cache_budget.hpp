#pragma once

#include <cstddef>
#include <list>

namespace postrider {

/// What the caches of all streams hold together, within a number of bytes: what was added or used
/// longest ago goes first. One thread. Outlives its holders.
class CacheBudget {
 public:
  class Holder {
   public:
    Holder() = default;
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    /// Drops what it has added or used longest ago, and removes its place.
    virtual void drop_oldest() = 0;

   protected:
    ~Holder() = default;
  };

 private:
  struct Entry {
    Holder* holder;
    std::size_t bytes;
  };

 public:
  /// Of one thing that a holder holds.
  using Place = std::list<Entry>::iterator;

  explicit CacheBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  CacheBudget(const CacheBudget&) = delete;
  CacheBudget& operator=(const CacheBudget&) = delete;

  /// Counts it. `shrink` is due once the holder holds it.
  Place add(Holder& holder, std::size_t bytes);
  void use(Place place);
  void remove(Place place);
  /// Makes holders drop until all is within the number, perhaps what was added last, too.
  void shrink();
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  ///< oldest first
};

/// Bytes that several things hold together, within a number. One thread.
struct ByteBudget {
  std::size_t bytes_max = 0;
  std::size_t bytes = 0;

  /// Counts them if they fit.
  [[nodiscard]] bool take(std::size_t more) {
    if (bytes + more > bytes_max) return false;
    bytes += more;
    return true;
  }
};

}  // namespace postrider
