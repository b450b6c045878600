#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "postrider/stream/stream_format.hpp"

namespace postrider {

/// The attributes of a fact of format `json` by their index.
enum class JsonAttribute : std::size_t { type, subject, key, id, time };

inline constexpr std::array<AttributeSpec, 5> json_schema = {{
    {"type", AttributeType::text},
    {"subject", AttributeType::text},
    {"key", AttributeType::text},
    {"id", AttributeType::text},
    {"time", AttributeType::text},
}};

/// Facts that are any JSON objects. Each attribute is found by a JSON pointer (RFC 6901), by
/// default the member of its name. A text or a whole number counts; anything else, and a text that
/// is too long or holds U+0000, is as if it were not there: no fact is refused for it.
class JsonFormat final : public StreamFormat {
 public:
  /// JSON pointers by the name of the attribute, each of which `json_pointer_fault` found right.
  explicit JsonFormat(const std::map<std::string, std::string>& pointers);

  [[nodiscard]] std::string_view name() const override { return "json"; }
  [[nodiscard]] std::span<const AttributeSpec> schema() const override { return json_schema; }
  void read_attributes(const simdjson::dom::object& fact, AttributeWriter attributes,
                       std::vector<FieldError>& mistakes) const override;

 private:
  /// The names to follow from the fact inwards, of each attribute.
  std::array<std::vector<std::string>, json_schema.size()> paths_;
};

inline constexpr std::size_t json_pointer_bytes_max = 256;

/// What is wrong with a JSON pointer to an attribute; empty when nothing is.
std::string json_pointer_fault(const std::string& pointer);

}  // namespace postrider
