#include "postrider/store/declarations.hpp"

#include <algorithm>

#include <xxhash.h>

namespace postrider {
namespace {

// The row of the instance still says what its last session had.
constexpr Statement take_configuration_sql{
    "UPDATE sessions SET configuration_digest = $2, configuration = COALESCE("
    "(SELECT MAX(s.configuration) FROM sessions s WHERE s.configuration > 0"
    " AND s.configuration_digest = $2 AND s.ended_at IS NULL), $3)"
    " WHERE instance_key = $1 RETURNING configuration"};
constexpr Statement insert_sql{
    "INSERT INTO declarations (configuration, service_id, digest) VALUES ($1, $2, $3)"};
constexpr Statement drop_unused_sql{
    "DELETE FROM declarations WHERE configuration NOT IN (SELECT configuration FROM sessions)"};
// One statement, so that no session begins in between and takes its old declarations away.
constexpr Statement read_sql{
    "SELECT s.session_key, s.configuration, d.service_id, d.digest FROM sessions s"
    " LEFT JOIN declarations d ON d.configuration = s.configuration"};

std::int64_t digest_of(std::span<const Declaration> declarations) {
  XXH64_hash_t digest = 0;
  for (const Declaration& each : declarations) {
    digest = XXH3_64bits_withSeed(each.service.data(), each.service.size(), digest);
    digest = XXH3_64bits_withSeed(&each.digest, sizeof each.digest, digest);
  }
  return static_cast<std::int64_t>(digest);
}

}  // namespace

std::int64_t digest_of_document(std::string_view document) {
  return static_cast<std::int64_t>(XXH3_64bits(document.data(), document.size()));
}

SessionKey LiveDeclarations::newest(std::string_view service, std::int64_t digest) const {
  const auto digests = services.find(service);
  if (digests == services.end()) return {};
  const auto found = digests->second.find(digest);
  return found == digests->second.end() ? SessionKey{} : found->second;
}

Result<void> declare(SqlConnection& connection, BegunSession session,
                     std::span<const Declaration> declarations) {
  SessionKey configuration;
  TRY_VOID(connection.execute(
      take_configuration_sql,
      {session.instance.value, digest_of(declarations), session.session.value},
      [&configuration](const SqlRow& row) { configuration = SessionKey{row.integer(0)}; }));
  if (configuration == session.session) {
    for (const Declaration& each : declarations) {
      TRY_VOID(connection.enqueue(insert_sql, {configuration.value, each.service, each.digest}));
    }
  }
  return connection.enqueue(drop_unused_sql, {});
}

Result<LiveDeclarations> read_live_declarations(SqlConnection& connection,
                                                const std::set<SessionKey>& lapsed) {
  LiveDeclarations live;
  TRY_VOID(connection.execute(read_sql, {}, [&live, &lapsed](const SqlRow& row) {
    if (lapsed.contains(SessionKey{row.integer(0)})) return;
    const SessionKey configuration{row.integer(1)};
    live.configurations.insert(configuration);
    if (row.is_null(2)) return;
    SessionKey& newest = live.services[std::string(row.text(2))][row.integer(3)];
    newest = std::max(newest, configuration);
  }));
  return live;
}

}  // namespace postrider
