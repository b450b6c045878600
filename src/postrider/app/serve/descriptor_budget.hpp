#pragma once

#include <cstddef>

#include "postrider/app/config/settings.hpp"

namespace postrider {

/// How many connections a process may have when it may open so many files.
struct DescriptorBudget {
  std::size_t descriptors_wanted = 0;  ///< for all that the settings allow
  std::size_t connections_max = 0;     ///< to receivers
  std::size_t connections_per_host_max = 0;
  std::size_t listener_connections_max = 0;  ///< of each listener
  bool is_short = false;                     ///< these are fewer than the settings allow
};

/// `descriptors`: the limit of open files. What is left of it after a reserve for the database, the
/// log and the listeners themselves goes one half to receivers and a quarter to each listener.
DescriptorBudget descriptor_budget(std::size_t descriptors, const Settings& settings);

/// Raises the limit of this process as far as it may, and lowers what the settings allow to what
/// fits below it, with a warning.
void fit_descriptor_limit(Settings& settings);

}  // namespace postrider
