#pragma once

#include <span>
#include <string_view>

#include "postrider/store/sql.hpp"

namespace postrider {

struct MigrationStep {
  std::span<const std::string_view> statements;
  /// What SQL does not say: it runs behind `statements`, in the same transaction. Null: nothing.
  Result<void> (*convert)(SqlConnection& connection) = nullptr;
  std::span<const std::string_view> last_statements = {};
};

/// Step n brings a database from schema version n-1 to n. Steps are added, never changed.
std::span<const MigrationStep> migration_steps();

}  // namespace postrider
