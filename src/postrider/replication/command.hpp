#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "postrider/base/result.hpp"
#include "postrider/base/strong.hpp"

namespace postrider {

// What processes say to each other on the replication bus: one line each, a name and words with a
// space between them. Names of streams and instances hold no space.

/// `REPLICATE`: everybody please say where you stand.
struct ReplicateCommand {
  bool operator==(const ReplicateCommand&) const = default;
};

/// `POSITION stream instance previous position session`: the instance has no facts in (previous,
/// position]. Whoever has not heard of it up to `previous` reads the database. `session` is the
/// newest session that the instance knew of.
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

/// `REMOTE_SERVER_UP service`: somebody knows that the service takes requests again; whoever
/// delivers to it need not wait. Best effort: without it, its time comes.
struct RemoteServerUpCommand {
  std::string service;
  bool operator==(const RemoteServerUpCommand&) const = default;
};

/// `NAME text`: who speaks.
struct NameCommand {
  std::string name;
  bool operator==(const NameCommand&) const = default;
};
/// `PING text`: only that somebody is there.
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
/// `invalid_argument` says what is wrong with the line.
Result<Command> parse_command(std::string_view line);

}  // namespace postrider
