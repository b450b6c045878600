#include "postrider/matrix/namespace_index.hpp"

namespace postrider {

const ServiceSet& NamespaceIndex::users(std::string_view user_id) {
  if (const ServiceSet* known = users_seen_.find(user_id)) return *known;
  return users_seen_.add(user_id, rules_->users(user_id));
}

const ServiceSet& NamespaceIndex::rooms(std::string_view room_id) {
  if (const ServiceSet* known = rooms_seen_.find(room_id)) return *known;
  return rooms_seen_.add(room_id, rules_->rooms(room_id));
}

const ServiceSet& NamespaceIndex::aliases(std::string_view alias) {
  if (const ServiceSet* known = aliases_seen_.find(alias)) return *known;
  return aliases_seen_.add(alias, rules_->aliases(alias));
}

}  // namespace postrider
