#include "postrider/app/cli/completion.hpp"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "postrider/app/cli/testing/scripted_server.hpp"

namespace postrider {
namespace {

std::vector<CompletionEntry> entries_of_program() {
  CommandLine line("postrider", "");
  std::ostringstream unused;
  CommandContext context{{}, {-1, unused, unused}, {}};
  add_all_commands(line.program(), context);
  return completion_entries(line.outline());
}

const CompletionEntry& entry_of(const std::vector<CompletionEntry>& entries,
                                std::string_view command) {
  const auto found = std::ranges::find(entries, command, &CompletionEntry::command);
  if (found == entries.end()) throw std::runtime_error("no such command");
  return *found;
}

bool holds(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

TEST(CompletionEntries, hold_commands_options_choices_and_files) {
  const auto entries = entries_of_program();
  EXPECT_TRUE(holds(entry_of(entries, "postrider").words, "services"));
  EXPECT_TRUE(holds(entry_of(entries, "postrider").words, "--version"));
  EXPECT_TRUE(holds(entry_of(entries, "postrider services").words, "put"));
  EXPECT_TRUE(holds(entry_of(entries, "postrider append").words, "--batch"));
  EXPECT_TRUE(holds(entry_of(entries, "postrider append").file_options, "--file"));
  EXPECT_TRUE(holds(entry_of(entries, "postrider completion").words, "fish"));
  EXPECT_TRUE(entry_of(entries, "postrider services put").takes_file);
  EXPECT_FALSE(entry_of(entries, "postrider tail").takes_file);
}

TEST(CompletionCommand, prints_every_command_and_option_for_each_shell) {
  const auto entries = entries_of_program();
  for (const char* shell : {"bash", "zsh", "fish"}) {
    ScriptedServer server;
    ASSERT_EQ(server.run({"completion", shell}), ExitCode::ok);
    const std::string script = server.out.str();
    for (const CompletionEntry& entry : entries) {
      EXPECT_NE(script.find(entry.command), std::string::npos) << shell << ": " << entry.command;
      for (const std::string& word : entry.words) {
        const std::string_view name = std::string_view(word).substr(word.starts_with("--") ? 2 : 0);
        EXPECT_NE(script.find(name), std::string::npos) << shell << ": " << word;
      }
    }
  }
}

}  // namespace
}  // namespace postrider
