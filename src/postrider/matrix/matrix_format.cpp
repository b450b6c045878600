#include "postrider/matrix/matrix_format.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "postrider/matrix/matrix_attributes.hpp"

namespace postrider {
namespace {

using simdjson::dom::element;

enum class Key : unsigned { type, room_id, sender, event_id, state_key, origin_server_ts, content };

constexpr std::array<std::pair<std::string_view, Key>, 7> key_names = {{
    {"type", Key::type},
    {"room_id", Key::room_id},
    {"sender", Key::sender},
    {"event_id", Key::event_id},
    {"state_key", Key::state_key},
    {"origin_server_ts", Key::origin_server_ts},
    {"content", Key::content},
}};

std::optional<Key> find_key(std::string_view name) {
  for (const auto& [known, key] : key_names) {
    if (name == known) return key;
  }
  return std::nullopt;
}

/// The text of a value in `content`; empty when it cannot be used as one.
std::string_view usable_text(const element& value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return {};
  return is_storable_text(text) ? text : std::string_view{};
}

/// Of a name that is there twice the last one counts, as in the parsers of most receivers.
std::optional<element> find_last(const element& content, std::string_view name) {
  simdjson::dom::object object;
  if (content.get(object) != simdjson::SUCCESS) return std::nullopt;
  std::optional<element> found;
  for (const auto field : object) {
    if (field.key == name) found = field.value;
  }
  return found;
}

void add_alias(const element& value, MatrixAttributes& event) {
  const std::string_view alias = usable_text(value);
  if (alias.empty() || alias.size() > alias_bytes_max) return;
  if (event.aliases.size() < event_aliases_max) event.aliases.push_back(alias);
}

void add_aliases(const element& value, MatrixAttributes& event) {
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return;
  for (const element alias : list) add_alias(alias, event);
}

class EventReader {
 public:
  EventReader(MatrixAttributes& event, std::vector<FieldError>& mistakes)
      : event_(event), mistakes_(mistakes) {}

  void read(const simdjson::dom::object& fact) {
    for (const auto field : fact) {
      const auto key = find_key(field.key);
      if (!key) continue;
      if (!has(*key)) {
        read_value(*key, field.key, field.value);
      } else if ((repeated_ & bit(*key)) == 0) {
        add_mistake(field.key, "stands there twice; which of the two counts is not defined");
        repeated_ |= bit(*key);
      }
      seen_ |= bit(*key);
    }
    if (!has(Key::type)) add_mistake("type", "is missing; every fact needs a type");
    read_content();
  }

 private:
  [[nodiscard]] static unsigned bit(Key key) { return 1U << std::to_underlying(key); }
  [[nodiscard]] bool has(Key key) const { return (seen_ & bit(key)) != 0; }
  void add_mistake(std::string_view name, std::string detail) {
    mistakes_.push_back({"/" + std::string(name), std::move(detail)});
  }

  void read_value(Key key, std::string_view name, const element& value) {
    switch (key) {
      case Key::type:
        return read_text(name, value, event_.type);
      case Key::room_id:
        return read_text(name, value, event_.room_id);
      case Key::sender:
        return read_text(name, value, event_.sender);
      case Key::event_id:
        return read_text(name, value, event_.event_id);
      case Key::state_key:
        return read_text(name, value, event_.state_key.emplace());
      case Key::origin_server_ts:
        if (value.get(event_.origin_server_ts) != simdjson::SUCCESS) {
          add_mistake(name, "must be a whole number of milliseconds");
        }
        return;
      case Key::content:
        content_ = value;
        return;
    }
  }

  void read_text(std::string_view name, const element& value, std::string_view& text) {
    if (value.get(text) != simdjson::SUCCESS) {
      add_mistake(name, "must be a string");
    } else if (text.size() > attribute_bytes_max) {
      add_mistake(name, fmt::format("has {} bytes; at most {} are allowed", text.size(),
                                    attribute_bytes_max));
    } else if (!is_storable_text(text)) {
      add_mistake(name, "holds U+0000, which cannot be stored as text");
    }
  }

  void read_content() {
    if (event_.type == "m.room.member") {
      const auto membership = content_ ? find_last(*content_, "membership") : std::nullopt;
      if (membership) event_.membership = usable_text(*membership);
    } else if (event_.type == "m.room.canonical_alias" && event_.state_key == "") {
      event_.names_aliases = true;
      if (!content_) return;
      if (const auto alias = find_last(*content_, "alias")) add_alias(*alias, event_);
      if (const auto others = find_last(*content_, "alt_aliases")) add_aliases(*others, event_);
    } else if (event_.type == "m.room.aliases" && event_.state_key) {
      event_.names_aliases = true;
      if (!content_) return;
      if (const auto aliases = find_last(*content_, "aliases")) add_aliases(*aliases, event_);
    }
  }

  MatrixAttributes& event_;
  std::vector<FieldError>& mistakes_;
  unsigned seen_ = 0;
  unsigned repeated_ = 0;
  std::optional<element> content_;
};

}  // namespace

std::span<const AttributeSpec> MatrixFormat::schema() const {
  return matrix_schema;
}

void MatrixFormat::read_attributes(const simdjson::dom::object& fact, AttributeWriter attributes,
                                   std::vector<FieldError>& mistakes) const {
  MatrixAttributes event;
  EventReader(event, mistakes).read(fact);
  if (mistakes.empty()) write_matrix_attributes(event, attributes);
}

}  // namespace postrider
