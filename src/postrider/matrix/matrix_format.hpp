#pragma once

#include "postrider/stream/stream_format.hpp"

namespace postrider {

/// Of an event that names more, the first ones count.
inline constexpr std::size_t event_aliases_max = 1000;
/// A longer one is none (client-server API, "Room aliases").
inline constexpr std::size_t alias_bytes_max = 255;

/// Events as the Matrix client-server API shows them. `type` is required; `room_id`, `sender`,
/// `state_key`, `event_id` (texts) and `origin_server_ts` (a whole number) are taken where present.
/// An attribute that is there twice, has another type, is too long, or holds U+0000 is a
/// mistake. What lies in `content` was written by some user of some server: where it is not of the
/// expected form it does not count, and is no mistake.
class MatrixFormat final : public StreamFormat {
 public:
  [[nodiscard]] std::string_view name() const override { return "matrix"; }
  [[nodiscard]] std::span<const AttributeSpec> schema() const override;
  void read_attributes(const simdjson::dom::object& fact, AttributeWriter attributes,
                       std::vector<FieldError>& mistakes) const override;
};

}  // namespace postrider
