#include "sim/history/registrations.hpp"

#include <algorithm>

namespace postrider::sim {

ServiceLife* Registrations::current(const std::string& id) {
  for (const auto& life : lives_) {
    if (life->id == id && !life->deleted) return life.get();
  }
  return nullptr;
}

ServiceLife* Registrations::find_by_prefix(const std::string& prefix) {
  for (const auto& life : lives_) {
    if (life->prefix == prefix) return life.get();
  }
  return nullptr;
}

void Registrations::put(const std::string& id, const std::string& prefix, bool pushed,
                        PlainService service, ChangePoint since) {
  ServiceLife* life = current(id);
  if (life == nullptr) {
    lives_.push_back(std::make_unique<ServiceLife>());
    life = lives_.back().get();
    life->id = id;
    life->prefix = prefix;
  }
  life->pushed = pushed;
  life->versions.push_back({std::move(service), std::move(since)});
  doubts_.erase(id);
}

void Registrations::remove(const std::string& id, ChangePoint when) {
  if (ServiceLife* life = current(id)) life->deleted = std::move(when);
  doubts_.erase(id);
}

void Registrations::doubt(const std::string& id, DoubtfulChange change) {
  doubts_[id].push_back(std::move(change));
}

bool Registrations::settle_presence(const std::string& id, const Stored& stored,
                                    const Positions& ends) {
  const ServiceLife* life = current(id);
  const bool known = life != nullptr && life->prefix == stored.prefix &&
                     life->versions.back().service == stored.service &&
                     life->pushed == stored.pushed;
  if (known) return true;
  for (const DoubtfulChange& change : doubts_[id]) {
    if (change.service != stored.service || change.pushed != stored.pushed) continue;
    const ChangePoint since{change.before, ends};
    put(id, stored.prefix, stored.pushed, stored.service, since);
    return current(id)->prefix == stored.prefix;
  }
  return false;
}

bool Registrations::settle(const std::string& id, const std::optional<Stored>& stored,
                           const Positions& ends) {
  bool explained = true;
  if (stored) {
    explained = settle_presence(id, *stored, ends);
  } else if (current(id) != nullptr) {
    explained = false;
    for (const DoubtfulChange& change : doubts_[id]) {
      if (change.service) continue;
      const ChangePoint when{change.before, ends};
      remove(id, when);
      explained = true;
      break;
    }
  }
  doubts_.erase(id);
  return explained;
}

}  // namespace postrider::sim
