#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "postrider/base/error.hpp"
#include "postrider/stream/fact_batch.hpp"

namespace simdjson::dom {
class object;
}  // namespace simdjson::dom

namespace postrider {

/// A longer text would make rows, caches and messages larger than any real name needs.
inline constexpr std::size_t attribute_bytes_max = 1024;

/// U+0000 cannot be stored as text in every database.
inline bool is_storable_text(std::string_view text) {
  return text.size() <= attribute_bytes_max && text.find('\0') == std::string_view::npos;
}

enum class AttributeType { text, texts, number };

struct AttributeSpec {
  std::string_view name;
  AttributeType type = AttributeType::text;
};

/// How the facts of a stream carry their attributes, by which they are routed. Immutable; any
/// thread.
class StreamFormat {
 public:
  StreamFormat() = default;
  StreamFormat(const StreamFormat&) = delete;
  StreamFormat& operator=(const StreamFormat&) = delete;
  virtual ~StreamFormat() = default;

  /// The word that the configuration and the database use.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// The attributes by their index. Lives as long as the format.
  [[nodiscard]] virtual std::span<const AttributeSpec> schema() const = 0;

  /// Writes the attributes that one fact has. Adds what is wrong to `mistakes`, each with a JSON
  /// pointer into the fact; the attributes are then of no use.
  virtual void read_attributes(const simdjson::dom::object& fact, AttributeWriter attributes,
                               std::vector<FieldError>& mistakes) const = 0;
};

}  // namespace postrider
