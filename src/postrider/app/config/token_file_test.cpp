#include "postrider/app/config/token_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "postrider/app/config/random_bytes.hpp"
#include "postrider/app/config/settings.hpp"
#include "postrider/app/config/text_rules.hpp"
#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

TEST(TokenFile, lies_beside_the_database) {
  Settings settings;
  settings.database = "sqlite:/var/lib/postrider/p.db";
  EXPECT_EQ(token_file_path(settings), "/var/lib/postrider/p.db.tokens");
}

TEST(TokenFile, is_made_once_and_only_its_owner_reads_it) {
  const TemporaryFolder folder;
  const std::string path = folder.file("p.db.tokens");
  const auto first = load_or_create_token_file(path, system_random_bytes);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_TRUE(first->created);
  EXPECT_NE(first->tokens.admin, first->tokens.producer);
  EXPECT_EQ(token_fault(first->tokens.admin), "");
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);

  const auto second = load_or_create_token_file(path, system_random_bytes);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->created);
  EXPECT_EQ(second->tokens, first->tokens);
}

TEST(TokenFile, is_not_replaced_when_it_holds_something_else) {
  const TemporaryFolder folder;
  for (const char* content : {"admin: admin-token\n", "admin: x\nproducer: producer-token\n",
                              "admn: admin-token\n", "[", ""}) {
    const std::string path = folder.write("t", content);
    const auto tokens = load_or_create_token_file(path, system_random_bytes);
    ASSERT_FALSE(tokens) << content;
    EXPECT_EQ(tokens.error().code, Code::invalid_argument);
    EXPECT_NE(tokens.error().detail.find(path), std::string::npos) << tokens.error().detail;
  }
}

TEST(TokenFile, names_a_folder_that_cannot_be_written) {
  const auto tokens = load_or_create_token_file("/nonexistent/t", system_random_bytes);
  ASSERT_FALSE(tokens);
  EXPECT_EQ(tokens.error().code, Code::storage_failed);
}

TEST(GeneratedToken, is_made_of_the_random_bytes) {
  const auto ones = [](std::span<std::byte> bytes) { std::ranges::fill(bytes, std::byte{0xf1}); };
  std::string digits;
  for (int i = 0; i < 24; ++i) digits += "f1";
  EXPECT_EQ(generate_token("admin", ones), "postrider_admin_" + digits);
}

}  // namespace
}  // namespace postrider
