#include "postrider/matrix/matrix_interest.hpp"

#include "postrider/matrix/matrix_stream.hpp"
#include "postrider/matrix/pattern.hpp"

namespace postrider {
namespace {

using Entries = std::vector<NamespaceEntry> Namespaces::*;

PatternIndex::PatternsOf patterns_of(Entries entries) {
  return [entries](const Interest& interest, std::vector<std::string>& to) {
    const auto* matrix = dynamic_cast<const MatrixInterest*>(&interest);
    if (matrix == nullptr) return;
    for (const NamespaceEntry& entry : matrix->namespaces().*entries) {
      to.push_back(pattern_for_re2(entry.regex));
    }
  };
}

ServiceSet match(const PatternIndex& patterns, std::string_view name) {
  ServiceSet services;
  if (!name.empty()) patterns.match(name, services);
  return services;
}

}  // namespace

bool MatrixInterest::equals(const Interest& other) const {
  const auto* matrix = dynamic_cast<const MatrixInterest*>(&other);
  return matrix != nullptr && matrix->sender_localpart_ == sender_localpart_ &&
         matrix->namespaces_ == namespaces_;
}

MatrixRules::MatrixRules(std::vector<ServiceInterest> services, const MatrixRules* previous,
                         std::string server_name, std::int64_t automaton_bytes)
    : InterestRules(std::move(services)),
      server_name_(std::move(server_name)),
      users_(this->services(), patterns_of(&Namespaces::users),
             previous == nullptr ? nullptr : &previous->users_, automaton_bytes),
      rooms_(this->services(), patterns_of(&Namespaces::rooms),
             previous == nullptr ? nullptr : &previous->rooms_, automaton_bytes),
      aliases_(this->services(), patterns_of(&Namespaces::aliases),
               previous == nullptr ? nullptr : &previous->aliases_, automaton_bytes),
      types_(this->services(), previous == nullptr ? nullptr : &previous->types_) {
  for (const ServiceInterest& service : this->services()) {
    const auto* matrix = dynamic_cast<const MatrixInterest*>(service.interest.get());
    if (matrix == nullptr) continue;
    add_services(by_sender_localpart_[matrix->sender_localpart()], {&service.service, 1});
  }
}

void MatrixRules::add_senders(std::string_view user_id, ServiceSet& services) const {
  const std::size_t colon = user_id.find(':');
  if (!user_id.starts_with('@') || colon == std::string_view::npos || !is_local(user_id)) return;
  const auto found = by_sender_localpart_.find(std::string(user_id.substr(1, colon - 1)));
  if (found != by_sender_localpart_.end()) add_services(services, found->second);
}

bool MatrixRules::is_local(std::string_view user_id) const {
  if (server_name_.empty()) return true;
  const std::size_t colon = user_id.find(':');
  return colon != std::string_view::npos && user_id.substr(colon + 1) == server_name_;
}

ServiceSet MatrixRules::users(std::string_view user_id) const {
  ServiceSet services = match(users_, user_id);
  add_senders(user_id, services);
  return services;
}

ServiceSet MatrixRules::rooms(std::string_view room_id) const {
  return match(rooms_, room_id);
}

ServiceSet MatrixRules::aliases(std::string_view alias) const {
  return match(aliases_, alias);
}

std::shared_ptr<const InterestRules> MatrixPolicy::compile(
    std::vector<ServiceInterest> services,
    const std::shared_ptr<const InterestRules>& previous) const {
  const auto* known = dynamic_cast<const MatrixRules*>(previous.get());
  return std::make_shared<const MatrixRules>(std::move(services), known, server_name_);
}

bool MatrixPolicy::may_match(const Interest& interest, const std::string& stream) const {
  return dynamic_cast<const MatrixInterest*>(&interest) != nullptr ||
         asks_for_stream(interest, stream);
}

std::unique_ptr<StreamInterest> MatrixPolicy::open(StreamKey stream,
                                                   const std::string& name) const {
  return std::make_unique<MatrixStream>(stream, name);
}

}  // namespace postrider
