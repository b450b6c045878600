#pragma once

#include <string>

#include "postrider/app/database/database_copy.hpp"

namespace postrider {

struct InstallationCopy {
  std::string from;    ///< sqlite:PATH
  std::string to;      ///< a URL of PostgreSQL
  std::string schema;  ///< there
};

/// Copies what one SQLite file holds into a schema of PostgreSQL, as `copy_database` does. While it
/// is not finished no server starts on that schema. Errors beyond its: `invalid_argument`,
/// `not_found` (no such file), `storage_locked` (a server runs on the file).
Result<std::int64_t> copy_installation(const InstallationCopy& copy, const CopyWatch& watch);

}  // namespace postrider
