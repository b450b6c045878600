#include "postrider/app/config/yaml_document.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

std::vector<std::string> faults(std::string_view text) {
  std::vector<std::string> lines;
  const auto document = parse_yaml(text, "f.yaml");
  if (document) return lines;
  for (const ConfigError& error : document.error()) lines.push_back(format_config_error(error));
  return lines;
}

TEST(YamlDocument, keeps_texts_lines_and_quotes) {
  const auto document = parse_yaml("a: 1\nb:\n  - 'x'\n  - {c: ~}\n", "f.yaml");
  ASSERT_TRUE(document);
  ASSERT_EQ(document->kind, YamlNode::Kind::map);
  ASSERT_EQ(document->children.size(), 2U);
  EXPECT_EQ(document->children[0].key, "a");
  EXPECT_EQ(document->children[0].text, "1");
  EXPECT_FALSE(document->children[0].quoted);
  const YamlNode& list = document->children[1];
  EXPECT_EQ(list.key_line, 2);
  EXPECT_EQ(list.children.at(0).line, 3);
  EXPECT_TRUE(list.children.at(0).quoted);
  EXPECT_EQ(list.children.at(1).children.at(0).kind, YamlNode::Kind::null);
  EXPECT_EQ(list.children.at(1).children.at(0).line, 4);
}

TEST(YamlDocument, is_null_when_the_text_is_empty) {
  const auto document = parse_yaml("# nothing\n", "f.yaml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->kind, YamlNode::Kind::null);
}

TEST(YamlDocument, reports_a_syntax_error_with_its_line) {
  const auto lines = faults("a: 1\nb: [1, 2\nc: 3\n");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].starts_with("f.yaml:")) << lines[0];
  EXPECT_NE(lines[0].find("not YAML"), std::string::npos) << lines[0];
  EXPECT_FALSE(lines[0].starts_with("f.yaml:0")) << lines[0];
}

TEST(YamlDocument, reports_every_duplicate_key_and_names_the_first) {
  const auto lines = faults("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].starts_with("f.yaml:2: the key \"c\" is here a second time")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("f.yaml:3: the key \"a\" is here a second time")) << lines[1];
  EXPECT_NE(lines[2].find("the first is in line 1"), std::string::npos) << lines[2];
}

TEST(YamlDocument, refuses_aliases_complex_keys_and_a_second_document) {
  EXPECT_EQ(faults("a: &x 1\nb: *x\n").size(), 2U);
  EXPECT_EQ(faults("? [a, b]\n: 1\n").size(), 1U);
  EXPECT_EQ(faults("a: 1\n---\nb: 1\n").size(), 1U);
}

TEST(YamlDocument, survives_documents_without_end) {
  EXPECT_FALSE(faults(", x\n").empty());
}

TEST(YamlDocument, survives_nesting_without_end) {
  EXPECT_FALSE(faults(std::string(100'000, '[')).empty());
  EXPECT_FALSE(faults(std::string(100'000, '{')).empty());
}

TEST(YamlDocument, names_a_file_that_cannot_be_read) {
  const auto document = parse_yaml_file("/nonexistent/x.yaml");
  ASSERT_FALSE(document);
  EXPECT_EQ(format_config_error(document.error().at(0)),
            "/nonexistent/x.yaml: cannot be read: No such file or directory");
}

}  // namespace
}  // namespace postrider
