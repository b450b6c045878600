#include "postrider/matrix/room_state.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

constexpr std::string_view membership_type = "m.room.member";
constexpr std::string_view joined_membership = "join";

bool changes_membership(const MatrixAttributes& event) {
  return event.state_key && !event.membership.empty() && !event.room_id.empty();
}

bool changes_aliases(const MatrixAttributes& event) {
  return event.names_aliases && !event.room_id.empty();
}

}  // namespace

void RoomState::Room::hold(const ServiceSet& by) {
  if (services == by) {
    for (std::uint32_t& count : holds) ++count;
    return;
  }
  for (const ServiceKey service : by) {
    const auto place = std::ranges::lower_bound(services, service);
    const auto count = holds.begin() + (place - services.begin());
    if (place != services.end() && *place == service) {
      ++*count;
    } else {
      holds.insert(count, 1);
      services.insert(place, service);
    }
  }
}

void RoomState::Room::remove(const ServiceSet& gone) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (std::ranges::binary_search(gone, services[i])) continue;
    services[kept] = services[i];
    holds[kept++] = holds[i];
  }
  services.resize(kept);
  holds.resize(kept);
}

void RoomState::Room::release(const ServiceSet& by) {
  for (const ServiceKey service : by) {
    const auto place = std::ranges::lower_bound(services, service);
    POSTRIDER_ASSERT(place != services.end() && *place == service,
                     "service {} does not hold the room", service);
    --holds[static_cast<std::size_t>(place - services.begin())];
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (holds[i] == 0) continue;
    services[kept] = services[i];
    holds[kept++] = holds[i];
  }
  services.resize(kept);
  holds.resize(kept);
}

RoomState::Room& RoomState::room(std::string_view room_id) {
  const auto found = rooms_.find(room_id);
  return found != rooms_.end() ? found->second
                               : rooms_.try_emplace(std::string(room_id)).first->second;
}

bool RoomState::join(NamespaceIndex& index, std::string_view room_id, std::string_view user_id) {
  const ServiceSet& services = index.users(user_id);
  if (services.empty() || !index.is_local(user_id)) return false;
  Room& joined_room = room(room_id);
  if (joined_room.joined.contains(user_id)) return true;
  joined_room.joined.emplace(user_id);
  joined_room.hold(services);
  return false;
}

void RoomState::leave(NamespaceIndex& index, std::string_view room_id, std::string_view user_id) {
  const auto found = rooms_.find(room_id);
  if (found == rooms_.end()) return;
  Room& left_room = found->second;
  const auto user = left_room.joined.find(user_id);
  if (user == left_room.joined.end()) return;
  left_room.joined.erase(user);
  left_room.release(index.users(user_id));
  if (left_room.services.empty()) rooms_.erase(found);
}

void RoomState::remove_services(NamespaceIndex& index, const ServiceSet& services) {
  for (auto entry = rooms_.begin(); entry != rooms_.end();) {
    Room& room = entry->second;
    if (!common_services(room.services, services).empty()) {
      room.remove(services);
      std::erase_if(room.joined, [&](const std::string& user_id) {
        return common_services(index.users(user_id), room.services).empty();
      });
      for (auto& [source, named] : room.aliases) named = other_services(named, services);
      std::erase_if(room.aliases, [](const auto& named) { return named.second.empty(); });
    }
    entry = room.services.empty() ? rooms_.erase(entry) : std::next(entry);
  }
}

void RoomState::restore_member(NamespaceIndex& index, const ServiceSet& services,
                               std::string_view room_id, std::string_view user_id) {
  if (!index.is_local(user_id)) return;
  const ServiceSet interested = common_services(index.users(user_id), services);
  if (interested.empty()) return;
  Room& joined_room = room(room_id);
  joined_room.joined.emplace(user_id);
  joined_room.hold(interested);
}

void RoomState::restore_alias(NamespaceIndex& index, const ServiceSet& services,
                              std::string_view room_id, std::string_view source,
                              std::string_view alias) {
  hold_by_alias(common_services(index.aliases(alias), services), room_id, source);
}

/// A source counts once for a service, however many of its aliases are the service's.
void RoomState::hold_by_alias(const ServiceSet& services, std::string_view room_id,
                              std::string_view source) {
  if (services.empty()) return;
  Room& named_room = room(room_id);
  auto named = named_room.aliases.find(source);
  if (named == named_room.aliases.end()) {
    named = named_room.aliases.emplace(source, ServiceSet()).first;
  }
  named_room.hold(other_services(services, named->second));
  add_services(named->second, services);
}

void RoomState::apply(NamespaceIndex& index, const MatrixAttributes& event, RoomChanges& changes) {
  if (changes_membership(event)) apply_membership(index, event, changes);
  if (changes_aliases(event)) apply_aliases(index, event, changes);
}

void RoomState::apply_membership(NamespaceIndex& index, const MatrixAttributes& event,
                                 RoomChanges& changes) {
  const bool joined = event.membership == joined_membership;
  if (joined && join(index, event.room_id, *event.state_key)) return;  // a new name or picture
  if (!joined) leave(index, event.room_id, *event.state_key);
  changes.memberships.push_back(
      {std::string(event.room_id), std::string(*event.state_key), joined});
}

void RoomState::apply_aliases(NamespaceIndex& index, const MatrixAttributes& event,
                              RoomChanges& changes) {
  AliasChange change{std::string(event.room_id), std::string(event.type), {}};
  if (event.state_key && !event.state_key->empty()) {
    change.source += fmt::format("/{}", *event.state_key);
  }
  if (const auto found = rooms_.find(event.room_id); found != rooms_.end()) {
    Room& named_room = found->second;
    if (const auto named = named_room.aliases.find(change.source);
        named != named_room.aliases.end()) {
      named_room.release(named->second);
      named_room.aliases.erase(named);
    }
    if (named_room.services.empty()) rooms_.erase(found);
  }
  for (const std::string_view alias : event.aliases) {
    hold_by_alias(index.aliases(alias), event.room_id, change.source);
    change.aliases.emplace_back(alias);
  }
  changes.aliases.push_back(std::move(change));
}

const ServiceSet& RoomState::interested(std::string_view room_id) const {
  static const ServiceSet none;
  const auto found = rooms_.find(room_id);
  return found == rooms_.end() ? none : found->second.services;
}

ServiceSet decide(NamespaceIndex& index, RoomState& rooms, const MatrixAttributes& event,
                  RoomChanges& changes) {
  ServiceSet services;
  if (changes_aliases(event)) services = rooms.interested(event.room_id);
  rooms.apply(index, event, changes);
  add_services(services, index.users(event.sender));
  if (event.type == membership_type && event.state_key) {
    add_services(services, index.users(*event.state_key));
  }
  add_services(services, index.rooms(event.room_id));
  add_services(services, rooms.interested(event.room_id));
  return services;
}

}  // namespace postrider
