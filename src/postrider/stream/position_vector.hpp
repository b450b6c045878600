#pragma once

#include <map>
#include <string>
#include <string_view>

#include "postrider/base/result.hpp"
#include "postrider/base/strong.hpp"

namespace postrider {

/// How far a reader or process has come in a stream of several writers: everything at or below
/// `minimum()`, and of the writers that are ahead of it, everything at or below theirs. Partially
/// ordered. A value.
class PositionVector {
 public:
  using Ahead = std::map<InstanceKey, StreamId>;

  PositionVector() = default;
  explicit PositionVector(StreamId minimum) : minimum_(minimum) {}
  /// Entries that are not ahead of `minimum` are dropped.
  PositionVector(StreamId minimum, Ahead ahead);

  [[nodiscard]] StreamId minimum() const { return minimum_; }
  /// The largest position of any writer.
  [[nodiscard]] StreamId maximum() const;
  [[nodiscard]] StreamId of(InstanceKey writer) const;
  [[nodiscard]] bool is_linear() const { return ahead_.empty(); }

  /// True when this has come at least as far as `other` with every writer.
  [[nodiscard]] bool reaches(const PositionVector& other) const;
  /// The least vector that reaches both.
  [[nodiscard]] PositionVector joined(const PositionVector& other) const;
  /// What of it lies at or below `maximum`.
  [[nodiscard]] PositionVector clipped(StreamId maximum) const;

  bool operator==(const PositionVector&) const = default;

  /// The text form, opaque to clients and stable: `s5`, or `m5~2.9~7.6`, where writer 2 is at 9
  /// and writer 7 at 6. A first letter that is neither is for what a later version needs.
  [[nodiscard]] std::string token() const;
  static Result<PositionVector> parse(std::string_view token);

 private:
  StreamId minimum_;
  Ahead ahead_;
};

}  // namespace postrider
