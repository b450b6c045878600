#include "postrider/app/config/yaml_document.hpp"

#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "postrider/app/config/text_file.hpp"

namespace postrider {
namespace {

constexpr std::string_view no_aliases =
    "anchors (&name) and aliases (*name) are not read here; write the value out";

constexpr int documents_read_max = 2;

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string file, ConfigErrors& errors) : file_(std::move(file)), errors_(errors) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) complain(mark.line + 1, "a second YAML document; only one is read");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    attach(made(YamlNode::Kind::null, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    complain(mark.line + 1, std::string(no_aliases));
    attach(made(YamlNode::Kind::null, mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    YamlNode node = made(YamlNode::Kind::scalar, mark);
    node.text = value;
    node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    attach(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open_.push_back({made(YamlNode::Kind::sequence, mark), std::nullopt});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open_.push_back({made(YamlNode::Kind::map, mark), std::nullopt});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    std::optional<YamlNode> key;  // of a map: read, and waiting for its value
  };

  static YamlNode made(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    return node;
  }

  void complain(int line, std::string message) {
    errors_.push_back({file_, line, "", std::move(message)});
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) complain(mark.line + 1, std::string(no_aliases));
  }

  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    if (node.kind == YamlNode::Kind::map) find_duplicates(node);
    attach(std::move(node));
  }

  void attach(YamlNode node) {
    if (open_.empty()) {
      if (documents_ <= 1) root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::map && !parent.key) {
      if (node.kind != YamlNode::Kind::scalar) complain(node.line, "a key must be a plain text");
      parent.key = std::move(node);
      return;
    }
    if (parent.key) {
      node.key = std::move(parent.key->text);
      node.key_line = parent.key->line;
      parent.key.reset();
    }
    parent.node.children.push_back(std::move(node));
  }

  void find_duplicates(const YamlNode& map) {
    std::map<std::string_view, int> lines;
    for (const YamlNode& child : map.children) {
      const auto [first, fresh] = lines.try_emplace(child.key, child.key_line);
      if (fresh) continue;
      complain(child.key_line, fmt::format("the key \"{}\" is here a second time; the first is in "
                                           "line {}; keep one",
                                           child.key, first->second));
    }
  }

  std::string file_;
  ConfigErrors& errors_;
  std::vector<Open> open_;
  YamlNode root_;
  int documents_ = 0;
};

}  // namespace

std::expected<YamlNode, ConfigErrors> parse_yaml(std::string_view text, const std::string& file) {
  ConfigErrors errors;
  TreeBuilder builder(file, errors);
  std::istringstream input{std::string(text)};
  try {
    YAML::Parser parser(input);
    // A second document is a mistake already, and some broken texts give documents without end.
    for (int read = 0; read < documents_read_max && parser.HandleNextDocument(builder); ++read) {
    }
  } catch (const YAML::Exception& error) {
    errors.push_back({file, error.mark.line + 1, "", fmt::format("not YAML: {}", error.msg)});
  } catch (const std::exception& error) {
    errors.push_back({file, 0, "", fmt::format("not YAML: {}", error.what())});
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return builder.take_root();
}

std::expected<YamlNode, ConfigErrors> parse_yaml_file(const std::string& file) {
  const Result<std::string> text = read_text_file(file);
  if (!text) return std::unexpected(ConfigErrors{{file, 0, "", text.error().detail}});
  return parse_yaml(*text, file);
}

}  // namespace postrider
