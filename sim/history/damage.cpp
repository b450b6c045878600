#include "sim/history/damage.hpp"

#include <algorithm>
#include <utility>

namespace postrider::sim {

void Damage::add(const std::string& stream, StreamId id, Fact fact) {
  numbers_.insert(fact.number);
  facts_[stream].insert_or_assign(id.value, std::move(fact));
}

void Damage::set_quarantine(const std::string& stream, std::vector<IdRange> ranges,
                            StreamId dropped) {
  said_[stream] = {std::move(ranges), dropped};
}

const Damage::Fact* Damage::find(const std::string& stream, StreamId id) const {
  const auto facts = facts_.find(stream);
  if (facts == facts_.end()) return nullptr;
  const auto found = facts->second.find(id.value);
  return found == facts->second.end() ? nullptr : &found->second;
}

bool Damage::excuses(const std::string& stream, StreamId id) const {
  const auto said = said_.find(stream);
  if (find(stream, id) == nullptr || said == said_.end()) return false;
  if (id <= said->second.dropped) return true;
  return std::ranges::any_of(said->second.ranges, [id](const IdRange& range) {
    return range.first <= id && id <= range.last;
  });
}

}  // namespace postrider::sim
