#include "postrider/app/cli/command_line.hpp"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>

namespace postrider {
namespace {

/// "TEXT:{bash,zsh,fish}" is how the parser writes a closed set of values.
std::vector<std::string> choices_in(const std::string& type_name) {
  const std::size_t open = type_name.find('{');
  const std::size_t close = type_name.find('}', open);
  if (close == std::string::npos) return {};
  return CLI::detail::split(type_name.substr(open + 1, close - open - 1), ',');
}

OptionOutline outline_of(const CLI::Option& option) {
  const std::string type_name = option.get_type_name();
  OptionOutline outline;
  for (const std::string& name : option.get_lnames()) outline.names.push_back("--" + name);
  outline.choices = choices_in(type_name);
  outline.is_argument = option.get_positional();
  outline.takes_file = type_name == "FILE";
  return outline;
}

CommandOutline outline_of(const CLI::App& command) {
  CommandOutline outline{command.get_name(), {}, {}};
  for (const CLI::Option* option : command.get_options()) {
    outline.options.push_back(outline_of(*option));
  }
  for (const CLI::App* below : command.get_subcommands([](const CLI::App*) { return true; })) {
    outline.commands.push_back(outline_of(*below));
  }
  return outline;
}

}  // namespace

CliOption CliOption::required() noexcept {
  option_->required();
  return *this;
}

CliOption CliOption::needs(CliOption other) noexcept {
  option_->needs(other.option_);
  return *this;
}

CliOption CliOption::excludes(CliOption other) noexcept {
  option_->excludes(other.option_);
  return *this;
}

CliOption CliOption::type_name(const std::string& name) noexcept {
  option_->type_name(name);
  return *this;
}

CliOption CliOption::range(int smallest, int largest) noexcept {
  option_->check(CLI::Range(smallest, largest));
  return *this;
}

CliOption CliOption::one_of(const std::vector<std::string>& choices) noexcept {
  option_->check(CLI::IsMember(choices));
  return *this;
}

CliOption CliOption::show_default() noexcept {
  option_->capture_default_str();
  return *this;
}

CliCommand CliCommand::add_command(const std::string& name,
                                   const std::string& description) noexcept {
  return CliCommand(*app_->add_subcommand(name, description));
}

void CliCommand::require_command() noexcept {
  app_->require_subcommand(1);
}

void CliCommand::callback(std::function<void()> chosen) noexcept {
  app_->callback(std::move(chosen));
}

void CliCommand::footer(const std::string& text) noexcept {
  app_->footer(text);
}

void CliCommand::add_version_flag(const std::string& name, const std::string& text) noexcept {
  app_->set_version_flag(name, text);
}

void CliCommand::add_flag(const std::string& name, bool& is_given,
                          const std::string& description) noexcept {
  app_->add_flag(name, is_given, description);
}

CliOption CliCommand::add_option(const std::string& name, std::string& value,
                                 const std::string& description) noexcept {
  return CliOption(*app_->add_option(name, value, description));
}

CliOption CliCommand::add_option(const std::string& name, std::uint64_t& value,
                                 const std::string& description) noexcept {
  return CliOption(*app_->add_option(name, value, description));
}

CliOption CliCommand::add_option(const std::string& name, int& value,
                                 const std::string& description) noexcept {
  return CliOption(*app_->add_option(name, value, description));
}

CliOption CliCommand::add_option(const std::string& name, std::optional<std::int64_t>& value,
                                 const std::string& description) noexcept {
  return CliOption(*app_->add_option(name, value, description));
}

CliOption CliCommand::add_option(const std::string& name, std::vector<std::string>& values,
                                 const std::string& description) noexcept {
  CLI::Option* option = app_->add_option(name, values, description);
  option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  // Else it takes what follows too, such as an argument, and splits what is in brackets.
  option->allow_extra_args(false);
  return CliOption(*option);
}

CommandLine::CommandLine(const std::string& program, const std::string& description) noexcept
    : app_(std::make_unique<CLI::App>(description, program)) {}

CommandLine::~CommandLine() = default;

CliCommand CommandLine::program() noexcept {
  return CliCommand(*app_);
}

ExitCode CommandLine::parse(std::vector<std::string> arguments, std::ostream& out,
                            std::ostream& err) {
  std::ranges::reverse(arguments);  // the order that the parser takes
  try {
    app_->parse(std::move(arguments));
    return ExitCode::ok;
  } catch (const CLI::Error& error) {
    return app_->exit(error, out, err) == 0 ? ExitCode::ok : ExitCode::bad_input;
  }
}

CommandOutline CommandLine::outline() const {
  return outline_of(*app_);
}

}  // namespace postrider
