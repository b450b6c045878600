#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "postrider/base/result.hpp"
#include "postrider/base/strong.hpp"

namespace postrider {

// What processes send each other on the replication bus: one line each, a name and arguments with a
// space between them. Names of streams and instances hold no space.

/// `REPLICATE`: every process is asked to publish the positions of its writers.
struct ReplicateCommand {
  bool operator==(const ReplicateCommand&) const = default;
};

/// `POSITION stream instance previous position session`: the instance has no facts in (previous,
/// position]. A process that does not know its position to be `previous` or more has a gap, and
/// reads it from the database. `session` is the newest session that the instance knew of.
struct PositionCommand {
  std::string stream;
  std::string instance;
  StreamId previous;
  StreamId position;
  SessionKey newest_session;
  bool operator==(const PositionCommand&) const = default;
};

/// `RDATA stream instance position|batch row`: facts of the instance. The rows of one commit follow
/// each other, all but the last with `batch`. `row` is JSON and may hold spaces.
struct RdataCommand {
  std::string stream;
  std::string instance;
  std::optional<StreamId> position;
  std::string row;
  bool operator==(const RdataCommand&) const = default;
};

/// `CLEAR_SESSION instance`: its session has ended; wait for it no longer.
struct ClearSessionCommand {
  std::string instance;
  bool operator==(const ClearSessionCommand&) const = default;
};

/// `REMOTE_SERVER_UP service`: the service takes requests again; the process that delivers to it
/// need not wait for the next attempt. Best effort.
struct RemoteServerUpCommand {
  std::string service;
  bool operator==(const RemoteServerUpCommand&) const = default;
};

/// `NAME text`: the name of the instance that has connected.
struct NameCommand {
  std::string name;
  bool operator==(const NameCommand&) const = default;
};
/// `PING text`: keeps a connection alive.
struct PingCommand {
  std::string text;
  bool operator==(const PingCommand&) const = default;
};
/// `ERROR text`: the connection is closed next.
struct ErrorCommand {
  std::string text;
  bool operator==(const ErrorCommand&) const = default;
};

using Command = std::variant<ReplicateCommand, PositionCommand, RdataCommand, ClearSessionCommand,
                             RemoteServerUpCommand, NameCommand, PingCommand, ErrorCommand>;

/// Without a line break.
std::string format_command(const Command& command);
/// `invalid_argument` when the line is no command. Any thread.
Result<Command> parse_command(std::string_view line);

}  // namespace postrider
