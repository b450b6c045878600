#pragma once

#include <memory>
#include <optional>
#include <string>

#include "postrider/matrix/namespace_index.hpp"
#include "postrider/matrix/room_state.hpp"
#include "postrider/sort/interest_policy.hpp"
#include "postrider/sort/type_interest.hpp"

namespace postrider {

/// Decides who gets the events of one stream, and follows its rooms. A change of rules takes the
/// services that it concerns out of the rooms, and reads the stored members and aliases once more
/// for them alone; where it concerns neither, nothing is read.
class MatrixStream final : public StreamInterest {
 public:
  MatrixStream(StreamKey stream, std::string name) : stream_(stream), types_(std::move(name)) {}

  Result<void> adopt(SqlConnection& connection,
                     std::shared_ptr<const InterestRules> rules) override;
  ServiceSet decide(const AttributeView& fact) override;
  StateChange take_changes() override;

 private:
  Result<void> restore(SqlConnection& connection, const ServiceSet& changed);

  StreamKey stream_;
  TypeMatcher types_;
  std::optional<NamespaceIndex> index_;
  RoomState rooms_;
  RoomChanges changes_;
};

}  // namespace postrider
