#include <algorithm>

#include "postrider/app/config/sections.hpp"
#include "postrider/app/config/text_rules.hpp"
#include "postrider/engine/catalog.hpp"
#include "postrider/webhook/json_format.hpp"

namespace postrider {
namespace {

using std::chrono::days;

constexpr Duration one_second = std::chrono::seconds{1};

/// JSON pointers by the name of the attribute; which names there are depends on the format.
void read_attributes(const YamlNode& node, StreamDeclaration& stream, Complaints& complaints) {
  if (node.kind == YamlNode::Kind::null) return;
  if (node.kind != YamlNode::Kind::map) {
    complaints.add(node.line, "",
                   SettingTable::described(node) + " is not a map; allowed: {type: /NAME, …}");
    return;
  }
  for (const YamlNode& child : node.children) {
    const bool is_text = child.kind == YamlNode::Kind::scalar;
    const std::string fault =
        is_text ? json_pointer_fault(child.text)
                : SettingTable::described(child) + " is no text; allowed: a JSON pointer";
    if (!fault.empty()) complaints.add(child.line, "." + child.key, fault);
    stream.attributes[child.key] = child.text;
  }
}

/// The settings below one stream's name: a small table of their own, because the names are free.
SettingTable table_of_stream(StreamDeclaration& stream) {
  SettingTable table;
  table.text("format", stream.format, format_fault);
  table.custom("attributes", {[&stream](const YamlNode& node, Complaints& complaints) {
                                read_attributes(node, stream, complaints);
                              },
                              false});
  table.duration("retain", stream.retain, one_second, days{36'500});
  return table;
}

/// After the format and the attributes were read, in whatever order they stand.
void check_attributes(const YamlNode& node, const StreamDeclaration& stream,
                      Complaints& complaints) {
  const auto known =
      chosen_attributes(stream.format.empty() ? std::string(default_stream_format) : stream.format);
  for (const auto& [name, pointer] : stream.attributes) {
    if (std::ranges::count(known, name) > 0) continue;
    const std::string allowed =
        known.empty() ? "nothing, in this format" : fmt::format("{}", fmt::join(known, ", "));
    complaints.add(node.line, "." + node.key + ".attributes." + name,
                   fmt::format("\"{}\" is not an attribute; allowed: {}", name, allowed));
  }
}

void read_stream(const YamlNode& node, StreamDeclaration& stream, Complaints& complaints) {
  if (node.kind == YamlNode::Kind::null) return;
  if (node.kind != YamlNode::Kind::map) {
    complaints.add(node.line, "." + node.key,
                   SettingTable::described(node) + " is not a map; allowed: {format: json, …}");
    return;
  }
  const SettingTable table = table_of_stream(stream);
  const auto nested = [&](const std::string& key) { return "." + node.key + "." + key; };
  for (const YamlNode& child : node.children) {
    if (const SettingTable::Setting* setting = table.find(child.key)) {
      Complaints below = complaints.below(nested(child.key));
      setting->read(child, below);
    } else {
      complaints.add(child.key_line, nested(child.key),
                     unknown_key_fault(child.key, table.keys_below("")));
    }
  }
  check_attributes(node, stream, complaints);
}

/// A list of names is the form of the environment: a named stream keeps what the file says of it.
void read_stream_names(const YamlNode& node, Settings& settings, Complaints& complaints) {
  std::map<std::string, StreamDeclaration> named;
  for (const YamlNode& child : node.children) {
    const std::string fault = stream_name_fault(child.text);
    if (!fault.empty()) complaints.add(child.line, "", fault);
    const auto known = settings.engine.streams.declared.find(child.text);
    named[child.text] =
        known == settings.engine.streams.declared.end() ? StreamDeclaration{} : known->second;
  }
  settings.engine.streams.declared = std::move(named);
}

void read_streams(const YamlNode& node, Settings& settings, Complaints& complaints) {
  if (node.kind == YamlNode::Kind::null) return;
  if (node.kind == YamlNode::Kind::sequence) return read_stream_names(node, settings, complaints);
  if (node.kind != YamlNode::Kind::map) {
    complaints.add(node.line, "",
                   SettingTable::described(node) +
                       " is not a map; allowed: streams by name, such as {events: {}}");
    return;
  }
  for (const YamlNode& child : node.children) {
    const std::string fault = stream_name_fault(child.key);
    if (!fault.empty()) complaints.add(child.key_line, "", fault);
    read_stream(child, settings.engine.streams.declared[child.key], complaints);
  }
}

}  // namespace

void add_stream_sections(SettingTable& table, Settings& settings) {
  const auto streams = [&settings](const YamlNode& node, Complaints& complaints) {
    read_streams(node, settings, complaints);
  };
  table.custom("streams", {streams, true});

  EngineSettings& engine = settings.engine;
  PublicApiSettings& api = settings.public_api;
  FactLimits& facts = engine.facts;
  StreamSettings& stream = engine.streams.each;
  table.flag("append.auto_create_streams", engine.streams.auto_create);
  table.text("append.default_format", engine.streams.created.format, format_fault);
  table.size("append.fact_bytes_max", facts.fact_bytes_max, kibibyte, 16 * mebibyte);
  table.number("append.batch_facts_max", facts.batch_facts_max, 1, 100'000);
  table.size("append.batch_bytes_max", api.batch_bytes_max, kibibyte, 1024 * mebibyte);
  table.number("append.json_depth_max", facts.json_depth_max, 8, 1000);
  table.duration("append.idempotency_retain", stream.idempotency_retain, one_second, days{365});
  table.size("append.waiting_bytes_max", stream.waiting_bytes_max, mebibyte, mebibyte << 20);

  table.text("outbox.url", settings.outbox_url, outbox_fault);
  table.duration("outbox.poll_interval", engine.outbox.poll_interval, std::chrono::milliseconds{5},
                 std::chrono::minutes{1});

  table.number("read.limit_default", api.read_limit_default, 1, 100'000);
  table.number("read.limit_max", api.read_limit_max, 1, 100'000);
  table.duration("read.wait_max", api.read_wait, Duration::zero(), std::chrono::minutes{5});
}

}  // namespace postrider
