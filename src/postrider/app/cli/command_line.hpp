#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postrider/app/cli/exit_code.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace postrider {

// The library that parses command lines takes long to compile. It is compiled once, behind these
// classes, and its exceptions stay there. A wrong declaration, such as a name that is given twice,
// ends the process.

/// An option or an argument of a command: a handle, which is copied and refers to what its
/// `CommandLine` owns.
class CliOption {
 public:
  explicit CliOption(CLI::Option& option) : option_(&option) {}

  CliOption required() noexcept;
  CliOption needs(CliOption other) noexcept;
  CliOption excludes(CliOption other) noexcept;
  /// What a value is called in the help. Values of type "FILE" are completed with files.
  CliOption type_name(const std::string& name) noexcept;
  /// Other values are refused.
  CliOption range(int smallest, int largest) noexcept;
  CliOption one_of(const std::vector<std::string>& choices) noexcept;
  /// The help shows the value that the variable has now.
  CliOption show_default() noexcept;

 private:
  CLI::Option* option_;
};

/// The program, or a command below it: a handle like `CliOption`. A name with dashes ("--limit,-n")
/// is an option, another one ("stream") an argument. The variables are set while the command line
/// is parsed, and must outlive it.
class CliCommand {
 public:
  explicit CliCommand(CLI::App& app) : app_(&app) {}

  CliCommand add_command(const std::string& name, const std::string& description) noexcept;
  /// One of the commands below must be given.
  void require_command() noexcept;
  /// Called when the command was given without a mistake.
  void callback(std::function<void()> chosen) noexcept;
  /// Ends the help.
  void footer(const std::string& text) noexcept;
  /// Prints `text`, and no command is run.
  void add_version_flag(const std::string& name, const std::string& text) noexcept;

  void add_flag(const std::string& name, bool& is_given, const std::string& description) noexcept;
  CliOption add_option(const std::string& name, std::string& value,
                       const std::string& description) noexcept;
  CliOption add_option(const std::string& name, std::uint64_t& value,
                       const std::string& description) noexcept;
  CliOption add_option(const std::string& name, int& value,
                       const std::string& description) noexcept;
  CliOption add_option(const std::string& name, std::optional<std::int64_t>& value,
                       const std::string& description) noexcept;
  /// May be repeated, with one value each time.
  CliOption add_option(const std::string& name, std::vector<std::string>& values,
                       const std::string& description) noexcept;

 private:
  CLI::App* app_;
};

struct OptionOutline {
  std::vector<std::string> names;    ///< long ones, with their dashes; none of an argument
  std::vector<std::string> choices;  ///< when the value is one of these
  bool is_argument = false;
  bool takes_file = false;
};

/// What a command offers, as data, and what the commands below it do.
struct CommandOutline {
  std::string name;
  std::vector<OptionOutline> options;
  std::vector<CommandOutline> commands;
};

/// Owns the declaration of a program's command line.
class CommandLine {
 public:
  CommandLine(const std::string& program, const std::string& description) noexcept;
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  [[nodiscard]] CliCommand program() noexcept;

  /// Sets the variables and calls the callback of the command that was given. Help and version go
  /// to `out`; a mistake goes to `err`, is `bad_input`, and nothing is called. The arguments are
  /// without the program's name.
  ExitCode parse(std::vector<std::string> arguments, std::ostream& out, std::ostream& err);

  [[nodiscard]] CommandOutline outline() const;

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace postrider
