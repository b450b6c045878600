#pragma once

#include <cstdint>
#include <string>

#include "postrider/app/database/database_copy.hpp"

namespace postrider {

struct InstallationCopy {
  std::string from;    ///< sqlite:PATH
  std::string to;      ///< a URL of PostgreSQL
  std::string schema;  ///< there
};

struct CopiedInstallation {
  std::int64_t rows = 0;
  bool was_complete = false;  ///< an earlier copy had ended, and nothing has changed since
};

/// Copies what one SQLite file holds into a schema of PostgreSQL, as `copy_database` does. While it
/// is not finished no server starts on that schema. A schema that holds just what the file holds is
/// compared with it only. Errors beyond those of `copy_database`: `invalid_argument`, `not_found`
/// (no such file), `storage_locked` (a server runs on the file).
Result<CopiedInstallation> copy_installation(const InstallationCopy& copy, const CopyWatch& watch);

}  // namespace postrider
