#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "postrider/base/assert.hpp"
#include "postrider/base/time.hpp"

namespace postrider::sim {

/// A seeded generator (SplitMix64; source: Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014) with distributions of its own: the library's differ between libraries. Never
/// draw twice in one argument list: compilers order those differently.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// An independent generator for one purpose: draws from it do not move the others.
  Random(std::uint64_t seed, std::string_view purpose) : state_(seed) {
    for (const char c : purpose) {
      state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    }
    next();
  }

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  /// Uniform in [0, bound).
  std::uint64_t below(std::uint64_t bound) {
    POSTRIDER_ASSERT(bound > 0, "a number below nothing");
    return next() % bound;
  }
  /// Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  Duration between(Duration low, Duration high) {
    return Duration{between(low.count(), high.count())};
  }
  /// True `permille` times of a thousand.
  bool chance(int permille) { return static_cast<int>(below(1000)) < permille; }
  /// Around `typical`, sometimes twice, rarely a hundred times as long; never over `max`.
  Duration heavy_tail(Duration typical, Duration max) {
    Duration drawn = between(typical / 2, typical);
    while (drawn < max && chance(250)) drawn *= 2;
    return drawn < max ? drawn : max;
  }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from.at(below(from.size()));
  }

 private:
  std::uint64_t state_;
};

}  // namespace postrider::sim
