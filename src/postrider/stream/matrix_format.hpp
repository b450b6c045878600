#pragma once

#include "postrider/stream/event_format.hpp"

namespace postrider {

/// Events as the Matrix client-server API shows them. `type` is required; `room_id`, `sender`,
/// `state_key`, `event_id` (texts) and `origin_server_ts` (a whole number) are taken where present.
/// A routing key that is there twice, has another type, is too long, or holds U+0000 is a
/// mistake. What lies in `content` was written by some user of some server: where it is not of the
/// expected form it does not count, and is no mistake.
class MatrixFormat final : public EventFormat {
 public:
  [[nodiscard]] std::string_view name() const override { return "matrix"; }
  void read_keys(const simdjson::dom::object& fact, RoutingKeys& keys,
                 std::vector<FieldError>& mistakes) const override;
};

}  // namespace postrider
