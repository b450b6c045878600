#include "postrider/app/serve/descriptor_budget.hpp"

#include <algorithm>

#include <sys/resource.h>

#include "postrider/base/log.hpp"

namespace postrider {
namespace {

/// The database, its journals, the log, the bus, the threads' own, and some to spare.
constexpr std::size_t reserved = 64;
/// A connection to a receiver takes two while it is made: names have addresses of both families,
/// which are tried side by side, and a lookup has sockets of its own.
constexpr std::size_t outgoing_cost = 2;
constexpr std::size_t listeners = 2;

}  // namespace

DescriptorBudget descriptor_budget(std::size_t descriptors, const Settings& settings) {
  const CurlHttpClientSettings& client = settings.http_client;
  const std::size_t free = descriptors - std::min(descriptors, reserved);
  const std::size_t share = std::max<std::size_t>(1, free / (outgoing_cost + listeners));
  DescriptorBudget budget;
  budget.descriptors_wanted = reserved + outgoing_cost * client.connections_max +
                              listeners * settings.listener.connections_max;
  budget.is_short = descriptors < budget.descriptors_wanted;
  budget.connections_max = client.connections_max;
  budget.connections_per_host_max = client.connections_per_host_max;
  budget.listener_connections_max = settings.listener.connections_max;
  if (!budget.is_short) return budget;
  budget.connections_max = std::min(budget.connections_max, share);
  budget.listener_connections_max = std::min(budget.listener_connections_max, share);
  budget.connections_per_host_max =
      std::min(budget.connections_per_host_max, std::max<std::size_t>(1, share / 2));
  return budget;
}

void fit_descriptor_limit(Settings& settings) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const DescriptorBudget budget = descriptor_budget(limit.rlim_cur, settings);
  if (!budget.is_short) return;
  log_warn(
      "this process may open {} files, and its settings allow connections for {}: at most {} to"
      " receivers, {} to one host and {} to each listener are open at once; raise the limit with"
      " `ulimit -n` or LimitNOFILE= of systemd, or lower delivery.connections_max and"
      " public.connections_max",
      limit.rlim_cur, budget.descriptors_wanted, budget.connections_max,
      budget.connections_per_host_max, budget.listener_connections_max);
  settings.http_client.connections_max = budget.connections_max;
  settings.http_client.connections_per_host_max = budget.connections_per_host_max;
  settings.listener.connections_max = budget.listener_connections_max;
}

}  // namespace postrider
