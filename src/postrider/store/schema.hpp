#pragma once

#include <span>
#include <string_view>

namespace postrider {

/// Step n brings a database from schema version n-1 to n. Steps are added, never changed.
std::span<const std::span<const std::string_view>> migration_steps();

}  // namespace postrider
