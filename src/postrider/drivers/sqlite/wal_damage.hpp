#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace postrider {

/// Commits that were synced and that SQLite drops when it opens the database.
struct WalDamage {
  std::uint64_t offset = 0;   ///< of the first frame that is damaged, in the write-ahead log
  std::uint64_t commits = 0;  ///< that end behind it
};

/// Looks for damage in a write-ahead log that nobody has open; empty when there is none that shows.
/// SQLite takes the log up to the first frame whose checksum is wrong, and says nothing: what
/// follows is taken for a commit that a crash cut off. Only the last commit can have been cut off,
/// as each is synced before the next one is written. So a frame of another commit behind it tells
/// that the one before was whole once. Damage to the header of the log, but for its checksum, is
/// not found. `path` is that of the log; one that is not there holds no damage. Any thread.
/// Source: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
std::optional<WalDamage> find_wal_damage(const std::string& path);

}  // namespace postrider
