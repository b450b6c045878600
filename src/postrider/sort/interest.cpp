#include "postrider/sort/interest.hpp"

#include "postrider/sort/pattern_set.hpp"

namespace postrider {
namespace {

using Entries = std::vector<PatternSet::Entry>;

void add_entries(Entries& entries, ServiceKey service, const std::vector<NamespaceEntry>& from) {
  for (const NamespaceEntry& entry : from) entries.push_back({entry.regex, service});
}

const ServiceSet& match(const PatternSet& patterns, InterestMemo& seen, std::string_view name) {
  if (const ServiceSet* known = seen.find(name)) return *known;
  ServiceSet services;
  if (!name.empty()) patterns.match(name, services);
  return seen.add(name, std::move(services));
}

}  // namespace

InterestIndex::InterestIndex(const std::vector<ServiceInterest>& services, std::string server_name,
                             std::int64_t automaton_bytes)
    : server_name_(std::move(server_name)) {
  Entries users;
  Entries rooms;
  Entries aliases;
  for (const ServiceInterest& service : services) {
    add_entries(users, service.service, service.namespaces.users);
    add_entries(rooms, service.service, service.namespaces.rooms);
    add_entries(aliases, service.service, service.namespaces.aliases);
    add_services(by_sender_localpart_[service.sender_localpart], {&service.service, 1});
  }
  users_ = std::make_unique<PatternSet>(users, automaton_bytes);
  rooms_ = std::make_unique<PatternSet>(rooms, automaton_bytes);
  aliases_ = std::make_unique<PatternSet>(aliases, automaton_bytes);
}

InterestIndex::~InterestIndex() = default;

void InterestIndex::add_senders(std::string_view user_id, ServiceSet& services) const {
  const std::size_t colon = user_id.find(':');
  if (!user_id.starts_with('@') || colon == std::string_view::npos || !is_local(user_id)) return;
  const auto found = by_sender_localpart_.find(std::string(user_id.substr(1, colon - 1)));
  if (found != by_sender_localpart_.end()) add_services(services, found->second);
}

bool InterestIndex::is_local(std::string_view user_id) const {
  if (server_name_.empty()) return true;
  const std::size_t colon = user_id.find(':');
  return colon != std::string_view::npos && user_id.substr(colon + 1) == server_name_;
}

const ServiceSet& InterestIndex::users(std::string_view user_id) {
  if (const ServiceSet* known = users_seen_.find(user_id)) return *known;
  ServiceSet services;
  if (!user_id.empty()) users_->match(user_id, services);
  add_senders(user_id, services);
  return users_seen_.add(user_id, std::move(services));
}

const ServiceSet& InterestIndex::rooms(std::string_view room_id) {
  return match(*rooms_, rooms_seen_, room_id);
}

const ServiceSet& InterestIndex::aliases(std::string_view alias) {
  return match(*aliases_, aliases_seen_, alias);
}

}  // namespace postrider
