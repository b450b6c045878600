#include "postrider/sort/room_state.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

constexpr std::string_view membership_type = "m.room.member";
constexpr std::string_view joined_membership = "join";

bool changes_membership(const RoutingKeys& keys) {
  return keys.state_key && !keys.membership.empty() && !keys.room_id.empty();
}

bool changes_aliases(const RoutingKeys& keys) {
  return keys.names_aliases && !keys.room_id.empty();
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

bool RoomState::join(InterestIndex& index, std::string_view room_id, std::string_view user_id) {
  const ServiceSet& services = index.users(user_id);
  if (services.empty() || !index.is_local(user_id)) return false;
  Room& joined_room = room(room_id);
  if (joined_room.joined.contains(user_id)) return true;
  joined_room.joined.emplace(user_id);
  joined_room.hold(services);
  return false;
}

void RoomState::leave(InterestIndex& index, std::string_view room_id, std::string_view user_id) {
  const auto found = rooms_.find(room_id);
  if (found == rooms_.end()) return;
  Room& left_room = found->second;
  const auto user = left_room.joined.find(user_id);
  if (user == left_room.joined.end()) return;
  left_room.joined.erase(user);
  left_room.release(index.users(user_id));
  if (left_room.services.empty()) rooms_.erase(found);
}

void RoomState::restore_member(InterestIndex& index, std::string_view room_id,
                               std::string_view user_id) {
  join(index, room_id, user_id);
}

void RoomState::restore_alias(InterestIndex& index, std::string_view room_id,
                              std::string_view source, std::string_view alias) {
  const ServiceSet& services = index.aliases(alias);
  if (services.empty()) return;
  Room& named_room = room(room_id);
  auto named = named_room.aliases.find(source);
  if (named == named_room.aliases.end()) {
    named = named_room.aliases.emplace(source, ServiceSet()).first;
  } else {
    named_room.release(named->second);
  }
  add_services(named->second, services);
  named_room.hold(named->second);
}

void RoomState::apply(InterestIndex& index, const RoutingKeys& keys, RoomChanges& changes) {
  if (changes_membership(keys)) apply_membership(index, keys, changes);
  if (changes_aliases(keys)) apply_aliases(index, keys, changes);
}

void RoomState::apply_membership(InterestIndex& index, const RoutingKeys& keys,
                                 RoomChanges& changes) {
  const bool joined = keys.membership == joined_membership;
  if (joined && join(index, keys.room_id, *keys.state_key)) return;  // a new name or picture
  if (!joined) leave(index, keys.room_id, *keys.state_key);
  changes.memberships.push_back({std::string(keys.room_id), std::string(*keys.state_key), joined});
}

void RoomState::apply_aliases(InterestIndex& index, const RoutingKeys& keys, RoomChanges& changes) {
  AliasChange change{std::string(keys.room_id), std::string(keys.type), {}};
  if (keys.state_key && !keys.state_key->empty()) {
    change.source += fmt::format("/{}", *keys.state_key);
  }
  if (const auto found = rooms_.find(keys.room_id); found != rooms_.end()) {
    Room& named_room = found->second;
    if (const auto named = named_room.aliases.find(change.source);
        named != named_room.aliases.end()) {
      named_room.release(named->second);
      named_room.aliases.erase(named);
    }
    if (named_room.services.empty()) rooms_.erase(found);
  }
  for (const std::string_view alias : keys.aliases) {
    restore_alias(index, keys.room_id, change.source, alias);
    change.aliases.emplace_back(alias);
  }
  changes.aliases.push_back(std::move(change));
}

const ServiceSet& RoomState::interested(std::string_view room_id) const {
  static const ServiceSet none;
  const auto found = rooms_.find(room_id);
  return found == rooms_.end() ? none : found->second.services;
}

ServiceSet decide(InterestIndex& index, RoomState& rooms, const RoutingKeys& keys,
                  RoomChanges& changes) {
  ServiceSet services;
  if (changes_aliases(keys)) services = rooms.interested(keys.room_id);
  rooms.apply(index, keys, changes);
  add_services(services, index.users(keys.sender));
  if (keys.type == membership_type && keys.state_key) {
    add_services(services, index.users(*keys.state_key));
  }
  add_services(services, index.rooms(keys.room_id));
  add_services(services, rooms.interested(keys.room_id));
  return services;
}

}  // namespace postrider
