#pragma once

#include <string>
#include <vector>

#include "postrider/app/cli/command_line.hpp"

namespace postrider {

/// What can follow one command.
struct CompletionEntry {
  std::string command;                    ///< "postrider services put"
  std::vector<std::string> words;         ///< subcommands, choices and options
  std::vector<std::string> file_options;  ///< those whose value is a file
  bool takes_file = false;                ///< an argument that is a file
};

/// Of the program and all commands below it, so that a new command or option is completed without a
/// line here.
std::vector<CompletionEntry> completion_entries(const CommandOutline& program);

std::string bash_completion(const std::vector<CompletionEntry>& entries);
std::string zsh_completion(const std::vector<CompletionEntry>& entries);
std::string fish_completion(const std::vector<CompletionEntry>& entries);

}  // namespace postrider
