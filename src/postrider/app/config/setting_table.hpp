#pragma once

#include <concepts>
#include <cstdint>
#include <expected>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "postrider/app/config/config_error.hpp"
#include "postrider/app/config/yaml_document.hpp"
#include "postrider/base/assert.hpp"
#include "postrider/base/time.hpp"

namespace postrider {

/// Takes the mistakes of one setting, which it knows the place of.
class Complaints {
 public:
  Complaints(std::string file, std::string path, ConfigErrors& errors)
      : file_(std::move(file)), path_(std::move(path)), errors_(errors) {}

  /// `below` is what follows the setting's own path: "", "[2]", ".events.retain".
  void add(int line, std::string_view below, std::string message) {
    errors_.push_back({file_, line, path_ + std::string(below), std::move(message)});
  }
  [[nodiscard]] Complaints below(std::string_view below_path) const {
    return {file_, path_ + std::string(below_path), errors_};
  }

 private:
  std::string file_;
  std::string path_;
  ConfigErrors& errors_;
};

/// A converted value, or what is wrong with the node and what is allowed.
template <class T>
using Converted = std::expected<T, std::string>;

Converted<std::string> as_text(const YamlNode& node);
Converted<std::int64_t> as_number(const YamlNode& node, std::int64_t min, std::int64_t max);
Converted<std::uint64_t> as_size(const YamlNode& node, std::uint64_t min, std::uint64_t max);
Converted<Duration> as_duration(const YamlNode& node, Duration min, Duration max);
Converted<bool> as_flag(const YamlNode& node);

/// What to say of a key that is not one of `known`.
std::string unknown_key_fault(const std::string& key, const std::vector<std::string>& known);

/// Every setting by its path (`delivery.backoff.min`), bound to the field that it fills. A section
/// adds one line for each setting, and that line is all there is: the file's reader, the
/// environment and the list of known keys are driven by this table.
class SettingTable {
 public:
  /// Says what is wrong with a text, or nothing.
  using TextRule = std::function<std::string(const std::string&)>;
  using Read = std::function<void(const YamlNode&, Complaints&)>;

  struct Setting {
    Read read;
    bool list = false;  ///< in the environment: several values, separated by commas
  };

  void text(std::string path, std::string& field, const TextRule& rule);
  void list(std::string path, std::vector<std::string>& field, const TextRule& rule);
  void duration(std::string path, Duration& field, Duration min, Duration max);
  void flag(std::string path, bool& field);

  template <std::integral Number>
  void number(std::string path, Number& field, std::int64_t min, std::int64_t max) {
    POSTRIDER_ASSERT(std::in_range<Number>(min) && std::in_range<Number>(max),
                     "{} does not hold {} to {}", path, min, max);
    bind(std::move(path), field,
         [min, max](const YamlNode& node) { return as_number(node, min, max); });
  }

  template <std::integral Number>
  void size(std::string path, Number& field, std::uint64_t min, std::uint64_t max) {
    POSTRIDER_ASSERT(std::in_range<Number>(max), "{} does not hold {} bytes", path, max);
    bind(std::move(path), field,
         [min, max](const YamlNode& node) { return as_size(node, min, max); });
  }

  template <class Choice>
  void choice(std::string path, Choice& field,
              std::initializer_list<std::pair<std::string_view, Choice>> choices) {
    const std::vector<std::pair<std::string_view, Choice>> known(choices);
    bind(std::move(path), field, [known](const YamlNode& node) -> Converted<Choice> {
      std::string allowed;
      for (const auto& [name, value] : known) {
        if (node.kind == YamlNode::Kind::scalar && node.text == name) return value;
        allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", name);
      }
      return std::unexpected(fmt::format("{} is not known; allowed: {}", described(node), allowed));
    });
  }

  void custom(std::string path, const Setting& setting);

  /// Null when the path is not a setting.
  [[nodiscard]] const Setting* find(const std::string& path) const;
  /// Whether settings lie below this path.
  [[nodiscard]] bool is_section(const std::string& path) const;
  /// The keys directly below a section; the top ones for "".
  [[nodiscard]] std::vector<std::string> keys_below(const std::string& section) const;
  [[nodiscard]] const std::map<std::string, Setting>& all() const { return settings_; }

  /// A node in words, for messages: `"abc"`, `a list`, `a map`, `nothing`.
  static std::string described(const YamlNode& node);
  /// The same without its text, for where a secret may stand in the wrong place.
  static std::string kind_of(const YamlNode& node);

 private:
  template <class Field, class Convert>
  void bind(std::string path, Field& field, const Convert& convert) {
    const auto read = [&field, convert](const YamlNode& node, Complaints& complaints) {
      auto value = convert(node);
      if (value) {
        field = static_cast<Field>(*std::move(value));
      } else {
        complaints.add(node.line, "", std::move(value).error());
      }
    };
    custom(std::move(path), {read, false});
  }

  std::map<std::string, Setting> settings_;
};

}  // namespace postrider
