#include "postrider/drivers/curl/connection_places.hpp"

#include <utility>

namespace postrider {
namespace {

/// Scheme, host and port as they are written, with the user if one is named.
std::string origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  return std::string(url.substr(0, url.find_first_of("/?#", begin)));
}

}  // namespace

bool ConnectionPlaces::has_room(std::string_view url) const {
  const auto origin = origins_.find(origin_of(url));
  return taken_ < total_ && (origin == origins_.end() || origin->second.taken < per_origin_);
}

void ConnectionPlaces::add(Submission submission) {
  Origin& origin = origins_[origin_of(submission.request.url)];
  origin.waiting.push_back(std::move(submission));
  ++waiting_;
  give_turn(origin);
}

void ConnectionPlaces::give_turn(Origin& origin) {
  if (origin.has_turn || origin.waiting.empty() || origin.taken >= per_origin_) return;
  origin.has_turn = true;
  turns_.push_back(&origin);
}

std::optional<Submission> ConnectionPlaces::take() {
  if (turns_.empty() || taken_ >= total_) return std::nullopt;
  Origin& origin = *turns_.front();
  turns_.pop_front();
  origin.has_turn = false;
  Submission next = std::move(origin.waiting.front());
  origin.waiting.pop_front();
  --waiting_;
  ++origin.taken;
  ++taken_;
  give_turn(origin);
  return next;
}

void ConnectionPlaces::give_back(std::string_view url) {
  const auto found = origins_.find(origin_of(url));
  Origin& origin = found->second;
  --taken_;
  --origin.taken;
  give_turn(origin);
  if (origin.taken == 0 && origin.waiting.empty()) origins_.erase(found);
}

std::vector<Submission> ConnectionPlaces::drop_waiting() {
  std::vector<Submission> dropped;
  for (auto& [name, origin] : origins_) {
    for (Submission& each : origin.waiting) dropped.push_back(std::move(each));
    origin.waiting.clear();
    origin.has_turn = false;
  }
  turns_.clear();
  waiting_ = 0;
  return dropped;
}

}  // namespace postrider
