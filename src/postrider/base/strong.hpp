#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include <fmt/format.h>

namespace postrider {

/// A number that cannot be passed where another kind of number is meant.
template <class Tag, class Rep = std::int64_t>
struct Strong {
  Rep value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(v) {}
  constexpr auto operator<=>(const Strong&) const = default;

  /// The number `count` further on; positions and sequences are walked with this.
  [[nodiscard]] constexpr Strong plus(Rep count) const { return Strong(value + count); }
};

/// Position of a fact in its stream. The first fact has 1; 0 means "before everything".
using StreamId = Strong<struct StreamIdTag>;
/// Row key of a stream.
using StreamKey = Strong<struct StreamKeyTag>;
/// Row key of an instance: one named process that writes. 0 where there is only one.
using InstanceKey = Strong<struct InstanceKeyTag>;
/// Counts the sessions of one database, from 1. A process that starts anew has another one.
using SessionKey = Strong<struct SessionKeyTag>;
/// Row key of a service. Never reused, so a deleted service's rows cannot be taken for another's.
using ServiceKey = Strong<struct ServiceKeyTag>;
/// Counts the transactions of one service, from 1.
using TransactionNumber = Strong<struct TransactionNumberTag>;

}  // namespace postrider

template <class Tag, class Rep>
struct fmt::formatter<postrider::Strong<Tag, Rep>> : fmt::formatter<Rep> {
  auto format(postrider::Strong<Tag, Rep> strong, auto& context) const {
    return fmt::formatter<Rep>::format(strong.value, context);
  }
};

template <class Tag, class Rep>
struct std::hash<postrider::Strong<Tag, Rep>> {
  std::size_t operator()(postrider::Strong<Tag, Rep> strong) const noexcept {
    return std::hash<Rep>{}(strong.value);
  }
};
