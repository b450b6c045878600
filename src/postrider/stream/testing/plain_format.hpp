#pragma once

#include <array>

#include <fmt/format.h>
#include <simdjson.h>

#include "postrider/stream/stream_format.hpp"

namespace postrider {

/// A format for tests: `type` is required; `sender` and `room_id` are texts where they are there.
class PlainFormat final : public StreamFormat {
 public:
  enum : std::size_t { type, sender, room_id };

  [[nodiscard]] std::string_view name() const override { return "plain"; }
  [[nodiscard]] std::span<const AttributeSpec> schema() const override { return schema_; }

  void read_attributes(const simdjson::dom::object& fact, AttributeWriter attributes,
                       std::vector<FieldError>& mistakes) const override {
    for (std::size_t i = 0; i < schema_.size(); ++i) {
      const std::string_view name = schema_.at(i).name;
      simdjson::dom::element value;
      if (fact[name].get(value) != simdjson::SUCCESS) {
        if (i == type) mistakes.push_back({"/type", "is missing; every fact needs a type"});
        continue;
      }
      std::string_view text;
      if (value.get(text) == simdjson::SUCCESS) {
        attributes.text(i, text);
      } else {
        mistakes.push_back({fmt::format("/{}", name), "must be a string"});
      }
    }
  }

 private:
  static constexpr std::array<AttributeSpec, 3> schema_ = {{{"type"}, {"sender"}, {"room_id"}}};
};

}  // namespace postrider
