#include "postrider/replication/command.hpp"

#include <charconv>

namespace postrider {
namespace {

// No message repeats more of a line than this.
constexpr std::size_t shown_bytes_max = 80;

/// Takes the words of a line off one after the other.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::optional<std::string_view> word() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (word.empty()) return std::nullopt;
    return word;
  }
  std::optional<std::int64_t> number() {
    const auto text = word();
    if (!text) return std::nullopt;
    std::int64_t number = -1;
    const char* const end = text->data() + text->size();
    const auto [rest, error] = std::from_chars(text->data(), end, number);
    if (error != std::errc{} || rest != end || number < 0) return std::nullopt;
    return number;
  }
  std::string_view rest() { return std::exchange(rest_, {}); }
  [[nodiscard]] bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

struct Format {
  std::string operator()(const ReplicateCommand&) const { return "REPLICATE"; }
  std::string operator()(const PositionCommand& command) const {
    return fmt::format("POSITION {} {} {} {} {}", command.stream, command.instance,
                       command.previous, command.position, command.newest_session);
  }
  std::string operator()(const RdataCommand& command) const {
    const std::string position =
        command.position ? fmt::format("{}", *command.position) : std::string("batch");
    return fmt::format("RDATA {} {} {} {}", command.stream, command.instance, position,
                       command.row);
  }
  std::string operator()(const ClearSessionCommand& command) const {
    return "CLEAR_SESSION " + command.instance;
  }
  std::string operator()(const RemoteServerUpCommand& command) const {
    return "REMOTE_SERVER_UP " + command.service;
  }
  std::string operator()(const NameCommand& command) const { return "NAME " + command.name; }
  std::string operator()(const PingCommand& command) const { return "PING " + command.text; }
  std::string operator()(const ErrorCommand& command) const { return "ERROR " + command.text; }
};

std::optional<Command> parse_position(Words words) {
  const auto stream = words.word();
  const auto instance = words.word();
  const auto previous = words.number();
  const auto position = words.number();
  const auto session = words.number();
  if (!stream || !instance || !previous || !position || !session || !words.done()) {
    return std::nullopt;
  }
  if (*previous > *position) return std::nullopt;
  return PositionCommand{std::string(*stream), std::string(*instance), StreamId{*previous},
                         StreamId{*position}, SessionKey{*session}};
}

std::optional<Command> parse_rdata(Words words) {
  const auto stream = words.word();
  const auto instance = words.word();
  Words before_position = words;
  const auto token = words.word();
  if (!stream || !instance || !token) return std::nullopt;
  RdataCommand command{std::string(*stream), std::string(*instance), std::nullopt, {}};
  if (*token != "batch") {
    const auto position = before_position.number();
    if (!position) return std::nullopt;
    command.position = StreamId{*position};
  }
  command.row = words.rest();
  if (command.row.empty()) return std::nullopt;
  return command;
}

/// One word and nothing behind it.
template <class OneWord>
std::optional<Command> parse_word(Words words) {
  const auto word = words.word();
  if (!word || !words.done()) return std::nullopt;
  return OneWord{std::string(*word)};
}

std::optional<Command> parse_named(std::string_view name, Words words) {
  if (name == "RDATA") return parse_rdata(words);
  if (name == "POSITION") return parse_position(words);
  if (name == "REPLICATE" && words.done()) return ReplicateCommand{};
  if (name == "CLEAR_SESSION") return parse_word<ClearSessionCommand>(words);
  if (name == "REMOTE_SERVER_UP" && !words.done()) {
    return RemoteServerUpCommand{std::string(words.rest())};
  }
  if (name == "NAME") return parse_word<NameCommand>(words);
  if (name == "PING") return PingCommand{std::string(words.rest())};
  if (name == "ERROR") return ErrorCommand{std::string(words.rest())};
  return std::nullopt;
}

}  // namespace

std::string format_command(const Command& command) {
  return std::visit(Format{}, command);
}

Result<Command> parse_command(std::string_view line) {
  Words words(line);
  const auto name = words.word();
  if (name) {
    if (auto command = parse_named(*name, words)) return *std::move(command);
  }
  return fail(Code::invalid_argument, "\"{}\" is not a command of the replication bus",
              line.substr(0, shown_bytes_max));
}

}  // namespace postrider
