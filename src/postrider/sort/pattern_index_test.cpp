#include "postrider/sort/pattern_index.hpp"

#include <map>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "postrider/sort/glob.hpp"
#include "postrider/sort/type_interest.hpp"

namespace postrider {
namespace {

const PatternIndex::PatternsOf patterns_of = [](const Interest& interest,
                                                std::vector<std::string>& to) {
  for (const std::string& glob : dynamic_cast<const TypeInterest&>(interest).types()) {
    to.push_back(glob_for_re2(glob));
  }
};

std::shared_ptr<const Interest> asks_for(std::string glob) {
  return std::make_shared<const TypeInterest>(std::vector{std::move(glob)},
                                              std::vector<std::string>{"*"});
}

ServiceSet match(const PatternIndex& index, std::string_view name) {
  ServiceSet services;
  index.match(name, services);
  return services;
}

std::vector<ServiceInterest> many(std::int64_t count) {
  std::vector<ServiceInterest> services;
  for (std::int64_t i = 1; i <= count; ++i) {
    services.push_back({ServiceKey(i), asks_for(fmt::format("t{}", i))});
  }
  return services;
}

TEST(ChangedServices, are_those_that_came_went_or_ask_for_something_else) {
  const auto same = asks_for("a");
  const std::vector<ServiceInterest> before = {
      {ServiceKey(1), same}, {ServiceKey(2), asks_for("b")}, {ServiceKey(3), asks_for("c")}};
  const std::vector<ServiceInterest> after = {
      {ServiceKey(1), same}, {ServiceKey(2), asks_for("b")}, {ServiceKey(4), asks_for("d")}};
  EXPECT_EQ(changed_services(before, after),
            (ServiceSet{ServiceKey(2), ServiceKey(3), ServiceKey(4)}));
  EXPECT_TRUE(changed_services(before, before).empty());
}

TEST(PatternIndex, compiles_only_the_service_that_changed) {
  std::vector<ServiceInterest> services = many(1000);
  const PatternIndex all(services, patterns_of, nullptr);
  EXPECT_EQ(all.compiled_services(), 1000U);
  services[6].interest = asks_for("other");
  const PatternIndex changed(services, patterns_of, &all);
  EXPECT_EQ(changed.compiled_services(), 1U);
  EXPECT_EQ(match(changed, "t7"), ServiceSet{});
  EXPECT_EQ(match(changed, "other"), ServiceSet{ServiceKey(7)});
  EXPECT_EQ(match(changed, "t8"), ServiceSet{ServiceKey(8)});
}

TEST(PatternIndex, compiles_all_when_too_many_have_changed) {
  std::vector<ServiceInterest> services = many(1000);
  PatternIndex index(services, patterns_of, nullptr);
  std::size_t compiled = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    services[i].interest = asks_for("x");
    index = PatternIndex(services, patterns_of, &index);
    compiled = std::max(compiled, index.compiled_services());
  }
  EXPECT_EQ(match(index, "x").size(), 1000U);
  EXPECT_EQ(compiled, 1000U);
}

TEST(PatternIndex, gives_the_same_after_any_changes_as_one_that_is_compiled_at_once) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&random](std::size_t bound) {
      return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
    };
    std::map<ServiceKey, std::shared_ptr<const Interest>> asked;
    std::optional<PatternIndex> index;
    for (int step = 0; step < 150; ++step) {
      const ServiceKey service(static_cast<std::int64_t>(below(100)));
      if (below(4) == 0) {
        asked.erase(service);
      } else {
        asked[service] = asks_for(fmt::format("{}*", below(20)));
      }
      std::vector<ServiceInterest> services;
      for (const auto& [key, interest] : asked) services.push_back({key, interest});
      index = PatternIndex(services, patterns_of, index ? &*index : nullptr);
      const PatternIndex at_once(services, patterns_of, nullptr);
      const std::string name = fmt::format("{}", below(40));
      ASSERT_EQ(match(*index, name), match(at_once, name)) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace postrider
