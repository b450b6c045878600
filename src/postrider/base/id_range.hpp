#pragma once

#include "postrider/base/strong.hpp"

namespace postrider {

/// Stream IDs from `first` to `last`, both included.
struct IdRange {
  StreamId first;
  StreamId last;
  bool operator==(const IdRange&) const = default;

  [[nodiscard]] std::int64_t count() const { return last.value - first.value + 1; }
};

}  // namespace postrider
