// Interest in one stream of Matrix events. Memory holds only the rooms and users that matter to
// some service; the database holds every member and alias, so that a service that is registered
// later learns of the rooms that its users are in already. Each decision applies the event first
// and may add to the changes that the sorter's commit stores with it.
//
// A change of rules removes the services that it concerns from the rooms and counts the stored rows
// once more for them. That is right because the state in memory and on disk agree at that moment:
// the sorter adopts rules between two commits, and throws this object away when one fails.
#include "postrider/matrix/matrix_stream.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"
#include "postrider/matrix/matrix_attributes.hpp"
#include "postrider/matrix/rooms.hpp"

namespace postrider {
namespace {

Result<void> store_changes(SqlConnection& connection, StreamKey stream,
                           const RoomChanges& changes) {
  for (const MembershipChange& change : changes.memberships) {
    const auto store = change.joined ? put_member : remove_member;
    TRY_VOID(store(connection, stream, change.room_id, change.user_id));
  }
  for (const AliasChange& change : changes.aliases) {
    TRY_VOID(clear_aliases(connection, stream, change.room_id, change.source));
    for (const std::string& alias : change.aliases) {
      TRY_VOID(put_alias(connection, stream, change.room_id, change.source, alias));
    }
  }
  return {};
}

/// Those of `changed` that ask for anything by its users, which every application service does.
bool ask_for_users(const MatrixRules& rules, const ServiceSet& changed) {
  return std::ranges::any_of(rules.services(), [&changed](const ServiceInterest& service) {
    return std::ranges::binary_search(changed, service.service) &&
           dynamic_cast<const MatrixInterest*>(service.interest.get()) != nullptr;
  });
}

bool ask_for_aliases(const MatrixRules& rules, const ServiceSet& changed) {
  return std::ranges::any_of(rules.services(), [&changed](const ServiceInterest& service) {
    if (!std::ranges::binary_search(changed, service.service)) return false;
    const auto* matrix = dynamic_cast<const MatrixInterest*>(service.interest.get());
    return matrix != nullptr && !matrix->namespaces().aliases.empty();
  });
}

}  // namespace

Result<void> MatrixStream::adopt(SqlConnection& connection,
                                 std::shared_ptr<const InterestRules> rules) {
  auto matrix_rules = std::dynamic_pointer_cast<const MatrixRules>(std::move(rules));
  POSTRIDER_ASSERT(matrix_rules != nullptr, "rules of another policy");
  const std::vector<ServiceInterest> none;
  const auto& before = index_ ? index_->rules().services() : none;
  const ServiceSet changed = changed_services(before, matrix_rules->services());
  index_.emplace(std::move(matrix_rules));
  types_.adopt(&index_->rules().types());
  rooms_.remove_services(*index_, changed);
  return restore(connection, changed);
}

Result<void> MatrixStream::restore(SqlConnection& connection, const ServiceSet& changed) {
  NamespaceIndex& index = *index_;
  if (ask_for_users(index.rules(), changed)) {
    TRY_VOID(
        read_members(connection, stream_, [&](std::string_view room_id, std::string_view user_id) {
          rooms_.restore_member(index, changed, room_id, user_id);
        }));
  }
  if (!ask_for_aliases(index.rules(), changed)) return {};
  return read_aliases(
      connection, stream_,
      [&](std::string_view room_id, std::string_view source, std::string_view alias) {
        rooms_.restore_alias(index, changed, room_id, source, alias);
      });
}

ServiceSet MatrixStream::decide(const AttributeView& fact) {
  const MatrixAttributes event = matrix_attributes(fact);
  ServiceSet services = postrider::decide(*index_, rooms_, event, changes_);
  add_services(services, types_.services_of(event.type));
  return services;
}

StreamInterest::StateChange MatrixStream::take_changes() {
  if (changes_.memberships.empty() && changes_.aliases.empty()) return nullptr;
  return [stream = stream_, changes = std::exchange(changes_, {})](SqlConnection& connection) {
    return store_changes(connection, stream, changes);
  };
}

}  // namespace postrider
