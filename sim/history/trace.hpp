#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "sim/world/timeline.hpp"

namespace postrider::sim {

/// What happened, as a number that is the same whenever the history is, and as lines for a reader.
class Trace {
 public:
  Trace(const Timeline& timeline, bool prints) : timeline_(timeline), prints_(prints) {}

  void note(std::string_view what, std::initializer_list<std::int64_t> numbers = {});
  void note(std::string_view what, std::string_view name,
            std::initializer_list<std::int64_t> numbers = {});
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  void mix(std::string_view bytes);
  void mix(std::int64_t number);
  void print(std::string_view what, std::string_view name,
             std::initializer_list<std::int64_t> numbers) const;

  const Timeline& timeline_;
  bool prints_;
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace postrider::sim
