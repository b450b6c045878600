#include "postrider/sort/type_interest.hpp"

#include <algorithm>
#include <iterator>

#include "postrider/base/assert.hpp"
#include "postrider/sort/glob.hpp"

namespace postrider {
namespace {

using Globs = const std::vector<std::string>& (TypeInterest::*)() const;

PatternIndex::PatternsOf patterns_of(Globs globs) {
  return [globs](const Interest& interest, std::vector<std::string>& to) {
    const auto* typed = dynamic_cast<const TypeInterest*>(&interest);
    if (typed == nullptr) return;
    for (const std::string& glob : (typed->*globs)()) to.push_back(glob_for_re2(glob));
  };
}

class TypeRules final : public InterestRules {
 public:
  TypeRules(std::vector<ServiceInterest> services, const TypeIndex* previous)
      : InterestRules(std::move(services)), index(this->services(), previous) {}

  TypeIndex index;
};

class TypedStream final : public StreamInterest {
 public:
  TypedStream(std::string name, std::size_t type_attribute)
      : matcher_(std::move(name)), type_attribute_(type_attribute) {}

  Result<void> adopt(SqlConnection&, std::shared_ptr<const InterestRules> rules) override {
    rules_ = std::dynamic_pointer_cast<const TypeRules>(std::move(rules));
    POSTRIDER_ASSERT(rules_ != nullptr, "rules of another policy");
    matcher_.adopt(&rules_->index);
    return {};
  }
  ServiceSet decide(const AttributeView& fact) override {
    return matcher_.services_of(fact.text(type_attribute_));
  }
  StateChange take_changes() override { return nullptr; }

 private:
  std::shared_ptr<const TypeRules> rules_;
  TypeMatcher matcher_;
  std::size_t type_attribute_;
};

}  // namespace

bool TypeInterest::equals(const Interest& other) const {
  const auto* typed = dynamic_cast<const TypeInterest*>(&other);
  return typed != nullptr && typed->types_ == types_ && typed->streams_ == streams_;
}

TypeIndex::TypeIndex(const std::vector<ServiceInterest>& services, const TypeIndex* previous)
    : types_(services, patterns_of(&TypeInterest::types),
             previous == nullptr ? nullptr : &previous->types_),
      streams_(services, patterns_of(&TypeInterest::streams),
               previous == nullptr ? nullptr : &previous->streams_) {}

ServiceSet TypeIndex::of_type(std::string_view type) const {
  ServiceSet services;
  types_.match(type, services);
  return services;
}

ServiceSet TypeIndex::of_stream(std::string_view name) const {
  ServiceSet services;
  streams_.match(name, services);
  return services;
}

void TypeMatcher::adopt(const TypeIndex* index) {
  index_ = index;
  of_stream_ = index->of_stream(stream_);
  seen_ = InterestMemo(memo_bytes_max);
}

const ServiceSet& TypeMatcher::services_of(std::string_view type) {
  if (of_stream_.empty()) return of_stream_;
  if (const ServiceSet* known = seen_.find(type)) return *known;
  const ServiceSet of_type = index_->of_type(type);
  ServiceSet both;
  std::ranges::set_intersection(of_type, of_stream_, std::back_inserter(both));
  return seen_.add(type, std::move(both));
}

std::shared_ptr<const InterestRules> TypePolicy::compile(
    std::vector<ServiceInterest> services,
    const std::shared_ptr<const InterestRules>& previous) const {
  const auto* known = dynamic_cast<const TypeRules*>(previous.get());
  return std::make_shared<const TypeRules>(std::move(services),
                                           known == nullptr ? nullptr : &known->index);
}

bool asks_for_stream(const Interest& interest, const std::string& stream) {
  const auto* typed = dynamic_cast<const TypeInterest*>(&interest);
  return typed != nullptr && any_glob_matches(typed->streams(), stream);
}

bool TypePolicy::may_match(const Interest& interest, const std::string& stream) const {
  return asks_for_stream(interest, stream);
}

std::unique_ptr<StreamInterest> TypePolicy::open(StreamKey, const std::string& name) const {
  return std::make_unique<TypedStream>(name, type_attribute_);
}

}  // namespace postrider
