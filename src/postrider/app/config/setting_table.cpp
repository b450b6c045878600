#include "postrider/app/config/setting_table.hpp"

#include <algorithm>
#include <charconv>

#include "postrider/app/config/nearest_word.hpp"
#include "postrider/base/assert.hpp"
#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

constexpr std::size_t shown_bytes_max = 80;

std::unexpected<std::string> wrong(const YamlNode& node, std::string_view allowed) {
  return std::unexpected(fmt::format("{} is not {}", SettingTable::described(node), allowed));
}

}  // namespace

std::string SettingTable::kind_of(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
    case YamlNode::Kind::scalar:
      break;
  }
  return "a text";
}

std::string SettingTable::described(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar) return kind_of(node);
  if (node.text.size() <= shown_bytes_max) return fmt::format("\"{}\"", node.text);
  return fmt::format("a text of {} bytes", node.text.size());
}

Converted<std::string> as_text(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar) return wrong(node, "a text; allowed: one text");
  return node.text;
}

Converted<std::int64_t> as_number(const YamlNode& node, std::int64_t min, std::int64_t max) {
  const std::string allowed = fmt::format("allowed: {} to {}", min, max);
  std::int64_t number = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [rest, error] = std::from_chars(node.text.data(), end, number);
  if (node.kind != YamlNode::Kind::scalar || rest != end || error == std::errc::invalid_argument) {
    return wrong(node, fmt::format("a whole number; {}", allowed));
  }
  if (node.quoted) {
    return wrong(node, fmt::format("a whole number while it is in quotes; {}", allowed));
  }
  if (error != std::errc{} || number < min || number > max) {
    return std::unexpected(fmt::format("{} is out of range; {}", node.text, allowed));
  }
  return number;
}

Converted<std::uint64_t> as_size(const YamlNode& node, std::uint64_t min, std::uint64_t max) {
  const std::string allowed = fmt::format("allowed: {} to {}", format_size(min), format_size(max));
  if (node.kind != YamlNode::Kind::scalar) return wrong(node, "a size; " + allowed);
  const Result<std::uint64_t> size = parse_size(node.text);
  if (!size) return std::unexpected(fmt::format("{}; {}", size.error().detail, allowed));
  if (*size < min || *size > max) {
    return std::unexpected(fmt::format("{} is out of range; {}", node.text, allowed));
  }
  return *size;
}

Converted<Duration> as_duration(const YamlNode& node, Duration min, Duration max) {
  const std::string allowed =
      fmt::format("allowed: {} to {}", format_duration(min), format_duration(max));
  if (node.kind != YamlNode::Kind::scalar) return wrong(node, "a duration; " + allowed);
  const Result<Duration> duration = parse_duration(node.text);
  if (!duration) return std::unexpected(fmt::format("{}; {}", duration.error().detail, allowed));
  if (*duration < min || *duration > max) {
    return std::unexpected(fmt::format("{} is out of range; {}", node.text, allowed));
  }
  return *duration;
}

Converted<bool> as_flag(const YamlNode& node) {
  const bool plain = node.kind == YamlNode::Kind::scalar && !node.quoted;
  if (plain && (node.text == "true" || node.text == "false")) return node.text == "true";
  return wrong(node, "a yes or no; allowed: true, false (without quotes)");
}

std::string unknown_key_fault(const std::string& key, const std::vector<std::string>& known) {
  if (const auto nearest = nearest_word(key, known)) {
    return fmt::format("unknown key; did you mean {}?", *nearest);
  }
  return fmt::format("unknown key; allowed: {}", fmt::join(known, ", "));
}

void SettingTable::text(std::string path, std::string& field, const TextRule& rule) {
  bind(std::move(path), field, [rule](const YamlNode& node) -> Converted<std::string> {
    Converted<std::string> value = as_text(node);
    if (!value) return value;
    std::string fault = rule(*value);
    if (!fault.empty()) return std::unexpected(std::move(fault));
    return value;
  });
}

void SettingTable::list(std::string path, std::vector<std::string>& field, const TextRule& rule) {
  const auto read = [&field, rule](const YamlNode& node, Complaints& complaints) {
    std::vector<std::string> values;
    if (node.kind != YamlNode::Kind::sequence && node.kind != YamlNode::Kind::null) {
      complaints.add(node.line, "", kind_of(node) + " is not a list; allowed: [first, second]");
      return;
    }
    for (std::size_t index = 0; index < node.children.size(); ++index) {
      const YamlNode& child = node.children[index];
      const Converted<std::string> value = as_text(child);
      const std::string fault = value ? rule(*value) : value.error();
      if (!fault.empty()) complaints.add(child.line, fmt::format("[{}]", index), fault);
      if (value) values.push_back(*value);
    }
    field = std::move(values);
  };
  custom(std::move(path), {read, true});
}

void SettingTable::duration(std::string path, Duration& field, Duration min, Duration max) {
  bind(std::move(path), field,
       [min, max](const YamlNode& node) { return as_duration(node, min, max); });
}

void SettingTable::flag(std::string path, bool& field) {
  bind(std::move(path), field, as_flag);
}

void SettingTable::custom(std::string path, const Setting& setting) {
  const auto [place, fresh] = settings_.try_emplace(std::move(path), setting);
  POSTRIDER_ASSERT(fresh, "the setting {} is in the table twice", place->first);
}

const SettingTable::Setting* SettingTable::find(const std::string& path) const {
  const auto found = settings_.find(path);
  return found == settings_.end() ? nullptr : &found->second;
}

bool SettingTable::is_section(const std::string& path) const {
  const auto next = settings_.lower_bound(path + ".");
  return next != settings_.end() && next->first.starts_with(path + ".");
}

std::vector<std::string> SettingTable::keys_below(const std::string& section) const {
  const std::string prefix = section.empty() ? "" : section + ".";
  std::vector<std::string> keys;
  for (const auto& [path, setting] : settings_) {
    if (!path.starts_with(prefix)) continue;
    std::string key = path.substr(prefix.size());
    key.resize(std::min(key.find('.'), key.size()));
    if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace postrider
