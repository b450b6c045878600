#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "postrider/stream/fact_batch.hpp"
#include "postrider/stream/stream_format.hpp"

namespace postrider {

/// The attributes of a Matrix event by their index.
enum class MatrixAttribute : std::size_t {
  type,
  room_id,
  sender,
  event_id,
  state_key,
  origin_server_ts,
  membership,
  aliases,
};

inline constexpr std::array<AttributeSpec, 8> matrix_schema = {{
    {"type", AttributeType::text},
    {"room_id", AttributeType::text},
    {"sender", AttributeType::text},
    {"event_id", AttributeType::text},
    {"state_key", AttributeType::text},
    {"origin_server_ts", AttributeType::number},
    {"membership", AttributeType::text},
    {"aliases", AttributeType::texts},
}};

/// A Matrix event as interest sees it. What the event does not have is empty.
struct MatrixAttributes {
  std::string_view type;
  std::string_view room_id;
  std::string_view sender;
  std::string_view event_id;
  std::optional<std::string_view> state_key;
  std::int64_t origin_server_ts = 0;      ///< Unix milliseconds
  std::string_view membership;            ///< of a membership event: "join", "leave", …
  std::vector<std::string_view> aliases;  ///< of an event that names a room's aliases: all of them
  bool names_aliases = false;             ///< the event replaces its aliases, perhaps by none
};

MatrixAttributes matrix_attributes(const AttributeView& fact);
void write_matrix_attributes(const MatrixAttributes& event, AttributeWriter& fact);

}  // namespace postrider
