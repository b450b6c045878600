#include "sim/model/rules.hpp"

#include <algorithm>

namespace postrider::sim {
namespace {

bool begins_with_one_of(const std::string& name, const std::vector<std::string>& prefixes) {
  return !name.empty() && std::ranges::any_of(prefixes, [&name](const std::string& prefix) {
    return name.starts_with(prefix);
  });
}

std::string alias_source(const PlainFact& fact) {
  return fact.type + "/" + fact.state_key.value_or("");
}

bool names_room(const PlainFact& fact) {
  return fact.type == "m.room.canonical_alias" || fact.type == "m.room.aliases";
}

}  // namespace

bool PlainRooms::is_local(const std::string& user) const {
  return server_.empty() || user.ends_with(":" + server_);
}

/// By pattern, or as the registration's own sender.
bool PlainRooms::is_users(const PlainRegistration& registration, const std::string& user) const {
  if (begins_with_one_of(user, registration.users)) return true;
  return is_local(user) && user.starts_with("@" + registration.sender_localpart + ":");
}

bool PlainRooms::is_in(const PlainRegistration& registration, const Room& room) const {
  const bool by_user = std::ranges::any_of(room.joined, [&](const std::string& user) {
    return is_local(user) && is_users(registration, user);
  });
  if (by_user) return true;
  return std::ranges::any_of(room.aliases, [&](const auto& listed) {
    return std::ranges::any_of(listed.second, [&](const std::string& alias) {
      return begins_with_one_of(alias, registration.aliases);
    });
  });
}

void PlainRooms::apply(Room& room, const PlainFact& fact) {
  if (fact.type == "m.room.member" && fact.state_key) {
    if (fact.membership == "join") {
      room.joined.insert(*fact.state_key);
    } else {
      room.joined.erase(*fact.state_key);
    }
  }
  if (names_room(fact)) room.aliases[alias_source(fact)] = fact.aliases;
}

bool PlainRooms::interests(const PlainRegistration& registration, const PlainFact& fact) const {
  if (is_users(registration, fact.sender)) return true;
  if (fact.type == "m.room.member" && is_users(registration, fact.state_key.value_or(""))) {
    return true;
  }
  if (begins_with_one_of(fact.room, registration.rooms)) return true;
  const auto known = rooms_.find(fact.room);
  Room room = known == rooms_.end() ? Room() : known->second;
  // Whoever names a room anew tells those whom the old name interested.
  if (names_room(fact) && is_in(registration, room)) return true;
  apply(room, fact);
  return is_in(registration, room);
}

void PlainRooms::follow(const PlainFact& fact) {
  apply(rooms_[fact.room], fact);
}

bool PlainStream::interests(const PlainService& service, const PlainFact& fact) const {
  if (const auto* webhook = std::get_if<PlainWebhook>(&service)) {
    const auto& streams = webhook->streams;
    const bool of_stream = streams.empty() || std::ranges::find(streams, name_) != streams.end();
    return of_stream && begins_with_one_of(fact.type, webhook->types);
  }
  return has_rooms_ && rooms_.interests(std::get<PlainRegistration>(service), fact);
}

}  // namespace postrider::sim
