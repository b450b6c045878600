#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/sort/service_set.hpp"

namespace postrider {

/// Facts that the same services get.
struct DecisionGroup {
  ServiceSet services;
  std::vector<StreamId> positions;  ///< rising
};

// The packed decisions of one row. This pair of files is the only one that reads and writes them:
// a byte that names the format, the number of groups, and for each group its services and its
// positions, both as their number and one varint for each: its distance from the one before. What
// many facts have in common, the services that get them, is written once.

/// `groups`: no position stands twice and all are after `after`.
std::string pack_decisions(StreamId after, std::span<const DecisionGroup> groups);

/// Fails with `storage_failed` when the bytes are not exactly some decisions, each position once,
/// on facts after `after` and up to `through`.
Result<std::vector<DecisionGroup>> unpack_decisions(StreamId after, StreamId through,
                                                    std::string_view packed);

/// Those of one service, rising. What others get is passed over, and its damage may go unseen;
/// otherwise as `unpack_decisions`.
Result<std::vector<StreamId>> unpack_positions_of(ServiceKey service, StreamId after,
                                                  StreamId through, std::string_view packed);

/// Gathers decisions in the order of facts.
class DecisionGroups {
 public:
  void add(StreamId id, const ServiceSet& services);
  [[nodiscard]] std::span<const DecisionGroup> groups() const { return groups_; }

 private:
  std::vector<DecisionGroup> groups_;
  std::map<ServiceSet, std::size_t> by_services_;
  std::size_t last_ = 0;  ///< the group that the fact before went to
};

/// The positions in all of the groups that the service gets, in order.
std::vector<StreamId> positions_of(ServiceKey service, std::span<const DecisionGroup> groups);

}  // namespace postrider
