#include "postrider/replication/command.hpp"

#include <charconv>

namespace postrider {
namespace {

// No message repeats more of a line than this.
constexpr std::size_t shown_bytes_max = 80;

/// Reads the fields of a line one after the other.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}

  std::optional<std::string_view> next() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (field.empty()) return std::nullopt;
    return field;
  }
  std::optional<std::int64_t> number() {
    const auto text = next();
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

std::optional<Command> parse_position(Fields fields) {
  const auto stream = fields.next();
  const auto instance = fields.next();
  const auto previous = fields.number();
  const auto position = fields.number();
  const auto session = fields.number();
  if (!stream || !instance || !previous || !position || !session || !fields.done()) {
    return std::nullopt;
  }
  if (*previous > *position) return std::nullopt;
  return PositionCommand{std::string(*stream), std::string(*instance), StreamId{*previous},
                         StreamId{*position}, SessionKey{*session}};
}

std::optional<Command> parse_rdata(Fields fields) {
  const auto stream = fields.next();
  const auto instance = fields.next();
  Fields before_position = fields;
  const auto field = fields.next();
  if (!stream || !instance || !field) return std::nullopt;
  RdataCommand command{std::string(*stream), std::string(*instance), std::nullopt, {}};
  if (*field != "batch") {
    const auto position = before_position.number();
    if (!position) return std::nullopt;
    command.position = StreamId{*position};
  }
  command.row = fields.rest();
  if (command.row.empty()) return std::nullopt;
  return command;
}

/// One field and nothing after it.
template <class OneField>
std::optional<Command> parse_one_field(Fields fields) {
  const auto field = fields.next();
  if (!field || !fields.done()) return std::nullopt;
  return OneField{std::string(*field)};
}

std::optional<Command> parse_named(std::string_view name, Fields fields) {
  if (name == "RDATA") return parse_rdata(fields);
  if (name == "POSITION") return parse_position(fields);
  if (name == "REPLICATE" && fields.done()) return ReplicateCommand{};
  if (name == "CLEAR_SESSION") return parse_one_field<ClearSessionCommand>(fields);
  if (name == "REMOTE_SERVER_UP" && !fields.done()) {
    return RemoteServerUpCommand{std::string(fields.rest())};
  }
  if (name == "NAME") return parse_one_field<NameCommand>(fields);
  if (name == "PING") return PingCommand{std::string(fields.rest())};
  if (name == "ERROR") return ErrorCommand{std::string(fields.rest())};
  return std::nullopt;
}

}  // namespace

std::string format_command(const Command& command) {
  return std::visit(Format{}, command);
}

Result<Command> parse_command(std::string_view line) {
  Fields fields(line);
  const auto name = fields.next();
  if (name) {
    if (auto command = parse_named(*name, fields)) return *std::move(command);
  }
  return fail(Code::invalid_argument, "\"{}\" is not a command of the replication bus",
              line.substr(0, shown_bytes_max));
}

}  // namespace postrider
