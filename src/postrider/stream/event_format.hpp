#pragma once

#include <string_view>
#include <vector>

#include "postrider/base/error.hpp"
#include "postrider/stream/fact_batch.hpp"

namespace simdjson::dom {
class object;
}  // namespace simdjson::dom

namespace postrider {

/// A key that is longer would make rows, caches and messages larger than any real name needs.
inline constexpr std::size_t routing_key_bytes_max = 1024;
/// Of a fact that names more, the first ones count.
inline constexpr std::size_t fact_aliases_max = 1000;

/// How the facts of a stream carry their routing keys. Another format is one more file and one
/// more line in the table of event_format.cpp. Stateless; any thread.
class EventFormat {
 public:
  EventFormat() = default;
  EventFormat(const EventFormat&) = delete;
  EventFormat& operator=(const EventFormat&) = delete;
  virtual ~EventFormat() = default;

  /// The word that the configuration and the database use.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Sets all of `keys` from one fact; the views live as long as the parsed fact. Adds what is
  /// wrong to `mistakes`, each with a JSON pointer into the fact; `keys` are then of no use.
  virtual void read_keys(const simdjson::dom::object& fact, RoutingKeys& keys,
                         std::vector<FieldError>& mistakes) const = 0;
};

/// Null when there is no such format. What it returns lives as long as the process.
const EventFormat* find_event_format(std::string_view name);
std::vector<std::string_view> event_format_names();

}  // namespace postrider
