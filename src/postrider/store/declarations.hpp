#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "postrider/base/strong.hpp"
#include "postrider/store/sessions.hpp"

// Which services the configurations of several processes declare. Their files differ for a while,
// as during a rolling deployment, and whoever delivers must not go by its own file alone.
//   configuration  all services of a file. It is named by the session in which it came: the first
//                  one of a process that started while no live session had the same. A process
//                  that starts again with what it had, or with what another one has, brings nothing
//                  new, unless its instance was forgotten meanwhile. So configurations are in the
//                  order in which they came.
//   declared       is a service as long as any session declares it that lives or has just
//                  ended: the lease moves only when a session has ended, and its process mostly
//                  comes again.
//   document       of a service that they declare differently: the one of the newest of their
//                  configurations. So a crash of a process that has the older file changes nothing,
//                  and a rollback is complete when no process has the newer file.
// A session that has ended counts until the process that delivers has seen it so for a minute of
// its own clock, or until its instance begins another one. Documents are not here: a process that
// delivers has those of its file, and what is stored.

namespace postrider {

/// One service in a configuration.
struct Declaration {
  std::string service;      ///< its ID
  std::int64_t digest = 0;  ///< of its document: differs when that does
};

/// A session declares its services for so long after it was seen to have ended.
inline constexpr Duration declares_after_end = std::chrono::minutes{1};

/// What the sessions declare that live or have just ended.
struct LiveDeclarations {
  std::set<SessionKey> configurations;  ///< of these sessions
  /// Of each service the digests of its documents, with the newest configuration that has each.
  std::map<std::string, std::map<std::int64_t, SessionKey>, std::less<>> services;

  [[nodiscard]] bool declares(std::string_view service) const { return services.contains(service); }
  /// The newest configuration in which the service has that document; 0: none has.
  [[nodiscard]] SessionKey newest(std::string_view service, std::int64_t digest) const;
};

/// XXH3 with 64 bits: tells what has changed from what has not; it is no signature.
std::int64_t digest_of_document(std::string_view document);

/// Inside the transaction that begins the session, which declares these from then on. They are in
/// the order of their services. What no instance declares any more is removed.
Result<void> declare(SqlConnection& connection, BegunSession session,
                     std::span<const Declaration> declarations);
/// Of all sessions but those that have `lapsed`.
Result<LiveDeclarations> read_live_declarations(SqlConnection& connection,
                                                const std::set<SessionKey>& lapsed);

}  // namespace postrider
