#include "postrider/app/cli/completion.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace postrider {
namespace {

void collect(const CommandOutline& command, const std::string& path,
             std::vector<CompletionEntry>& out) {
  CompletionEntry entry{path, {}, {}, false};
  for (const CommandOutline& below : command.commands) entry.words.push_back(below.name);
  for (const OptionOutline& option : command.options) {
    if (option.is_argument) {
      entry.words.insert(entry.words.end(), option.choices.begin(), option.choices.end());
      entry.takes_file = entry.takes_file || option.takes_file;
    }
    for (const std::string& name : option.names) {
      entry.words.push_back(name);
      if (option.takes_file) entry.file_options.push_back(name);
    }
  }
  out.push_back(std::move(entry));
  for (const CommandOutline& below : command.commands) {
    collect(below, path + " " + below.name, out);
  }
}

/// The functions' bodies: for each command its words, and the options that take files.
std::string shell_cases(const std::vector<CompletionEntry>& entries) {
  std::string cases;
  for (const CompletionEntry& entry : entries) {
    cases += fmt::format("    '{}') choices='{}'; files='{}'; plain={} ;;\n", entry.command,
                         fmt::join(entry.words, " "), fmt::join(entry.file_options, " "),
                         entry.takes_file ? 1 : 0);
  }
  return cases;
}

/// Finds the longest command that the words before the cursor name: shared by bash and zsh, whose
/// arrays begin at 0 and at 1.
std::string command_walk(std::string_view array, std::string_view begin, std::string_view end,
                         const std::vector<CompletionEntry>& entries) {
  std::string known;
  for (const CompletionEntry& entry : entries) {
    known += fmt::format("{}'{}'", known.empty() ? "" : "|", entry.command);
  }
  return fmt::format(
      "  local command='postrider' index choices files plain\n"
      "  for ((index = {1}; index < {2}; index++)); do\n"
      "    case \"$command ${{{0}[index]}}\" in\n"
      "      {3}) command=\"$command ${{{0}[index]}}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$command\" in\n{4}  esac\n",
      array, begin, end, known, shell_cases(entries));
}

}  // namespace

std::vector<CompletionEntry> completion_entries(const CommandOutline& program) {
  std::vector<CompletionEntry> entries;
  collect(program, program.name, entries);
  return entries;
}

std::string bash_completion(const std::vector<CompletionEntry>& entries) {
  return fmt::format(
      "# bash completion for postrider: source <(postrider completion bash)\n"
      "_postrider() {{\n{}"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" previous=\"${{COMP_WORDS[COMP_CWORD-1]}}\"\n"
      "  if [[ \" $files \" == *\" $previous \"* ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
      "    return\n"
      "  fi\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")\n"
      "  if [[ $plain == 1 && $current != -* ]]; then\n"
      "    mapfile -t -O \"${{#COMPREPLY[@]}}\" COMPREPLY < <(compgen -f -- \"$current\")\n"
      "  fi\n"
      "}}\n"
      "complete -o filenames -F _postrider postrider\n",
      command_walk("COMP_WORDS", "1", "COMP_CWORD", entries));
}

std::string zsh_completion(const std::vector<CompletionEntry>& entries) {
  return fmt::format(
      "#compdef postrider\n"
      "# zsh completion for postrider: postrider completion zsh > \"${{fpath[1]}}/_postrider\"\n"
      "_postrider() {{\n"
      "  local -a line=(\"${{words[@]}}\")\n"
      "  local at=$CURRENT\n{}"
      "  if [[ \" $files \" == *\" ${{line[at-1]}} \"* ]]; then\n"
      "    _files\n"
      "    return\n"
      "  fi\n"
      "  compadd -- ${{=choices}}\n"
      "  [[ $plain == 1 ]] && _files\n"
      "}}\n"
      "if [[ $funcstack[1] == _postrider ]]; then _postrider \"$@\"; else compdef _postrider "
      "postrider; fi\n",
      command_walk("line", "2", "at", entries));
}

std::string fish_completion(const std::vector<CompletionEntry>& entries) {
  std::string text =
      "# fish completion for postrider: postrider completion fish | source\n"
      "function __postrider_command\n"
      "  set -l command postrider\n"
      "  for token in (commandline -opc)[2..-1]\n"
      "    switch \"$command $token\"\n      case";
  for (const CompletionEntry& entry : entries) text += fmt::format(" '{}'", entry.command);
  text +=
      "\n        set command \"$command $token\"\n"
      "    end\n"
      "  end\n"
      "  echo $command\n"
      "end\n"
      "complete -c postrider -f\n";
  for (const CompletionEntry& entry : entries) {
    const std::string condition = fmt::format(
        "complete -c postrider -n 'test (__postrider_command) = \"{}\"'", entry.command);
    for (const std::string& word : entry.words) {
      if (!word.starts_with("--")) text += fmt::format("{} -a {}\n", condition, word);
    }
    for (const std::string& word : entry.words) {
      if (!word.starts_with("--")) continue;
      const bool file = std::ranges::find(entry.file_options, word) != entry.file_options.end();
      text += fmt::format("{} -l {}{}\n", condition, word.substr(2), file ? " -r -F" : "");
    }
    if (entry.takes_file) text += fmt::format("{} -F\n", condition);
  }
  return text;
}

}  // namespace postrider
