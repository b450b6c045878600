#include "postrider/sort/pattern_set.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "postrider/matrix/pattern.hpp"
#include "postrider/sort/pattern_options.hpp"

namespace postrider {
namespace {

constexpr std::int64_t plenty = 64LL << 20;

std::vector<ServiceKey> match(const PatternSet& set, std::string_view name) {
  std::vector<ServiceKey> services;
  set.match(name, services);
  return services;
}

std::vector<ServiceKey> keys(std::initializer_list<std::int64_t> values) {
  std::vector<ServiceKey> services;
  for (const std::int64_t value : values) services.emplace_back(value);
  return services;
}

/// Draws patterns and names over a small alphabet, so that many of them meet.
class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  std::string name() {
    static const std::vector<std::string> letters = {"a", "b", "_", ":", "ü", "@"};
    std::string text = "@";
    for (std::size_t left = below(8); left > 0; --left) text += letters[below(letters.size())];
    return text;
  }
  std::string pattern(int depth = 0) {
    std::string text = depth == 0 && below(4) != 0 ? "@" : "";
    for (std::size_t left = below(5); left > 0; --left) text += part(depth);
    return text;
  }

 private:
  std::string part(int depth) {
    static const std::vector<std::string> parts = {
        "a", "b", "_", ":", "ü", ".", ".*", "a?", "b{,2}", "[ab]", "[^a]+", "\\w", "$", "a+?"};
    if (depth < 2 && below(6) == 0) {
      return "(" + pattern(depth + 1) + "|" + pattern(depth + 1) + ")" + (below(2) == 0 ? "?" : "");
    }
    return parts[below(parts.size())];
  }

  std::mt19937 random_;
};

TEST(PatternSet, finds_the_same_services_as_one_pattern_after_the_other) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    Draw draw(seed);
    std::vector<std::string> patterns;
    while (patterns.size() < 1 + seed * 3) {
      std::string pattern = draw.pattern();
      if (check_pattern(pattern, 4096)) patterns.push_back(std::move(pattern));
    }
    std::vector<PatternSet::Entry> entries;
    std::vector<std::unique_ptr<re2::RE2>> singles;
    for (const std::string& pattern : patterns) {
      entries.push_back(
          {pattern_for_re2(pattern), ServiceKey(static_cast<std::int64_t>(draw.below(30)))});
      singles.push_back(
          std::make_unique<re2::RE2>(pattern_for_re2(pattern), pattern_options(plenty)));
    }
    const PatternSet together(entries, plenty);
    const PatternSet cramped(entries, 1);
    for (int i = 0; i < 200; ++i) {
      const std::string name = draw.name();
      std::set<ServiceKey> expected;
      for (std::size_t k = 0; k < singles.size(); ++k) {
        if (singles[k]->Match(name, 0, name.size(), re2::RE2::ANCHOR_START, nullptr, 0)) {
          expected.insert(entries[k].service);
        }
      }
      const std::vector<ServiceKey> in_order(expected.begin(), expected.end());
      ASSERT_EQ(match(together, name), in_order) << "seed " << seed << " name " << name;
      ASSERT_EQ(match(cramped, name), in_order) << "seed " << seed << " name " << name;
    }
  }
}

TEST(PatternSet, matches_one_by_one_when_the_automaton_runs_out_of_memory) {
  std::vector<std::string> patterns;
  std::vector<PatternSet::Entry> entries;
  for (int i = 0; i < 200; ++i) patterns.push_back(fmt::format(".*a.{{{}}}{}", i % 12, i));
  for (int i = 0; i < 200; ++i) {
    entries.push_back({patterns[static_cast<std::size_t>(i)], ServiceKey(i)});
  }
  // From too little to compile at all, over too little to run, to enough.
  for (std::int64_t memory = 1; memory <= plenty; memory *= 4) {
    const PatternSet set(entries, memory);
    EXPECT_EQ(match(set, "xxaxxxxx17"), keys({17})) << memory;
    EXPECT_EQ(match(set, "aaaaaaaaaaaaaaaaaaaa100"), keys({1, 10, 100})) << memory;
    EXPECT_EQ(match(set, std::string(500, 'b') + "a0"), keys({0})) << memory;
  }
}

TEST(PatternSet, names_each_service_once_and_in_order) {
  const PatternSet set(std::vector<PatternSet::Entry>{{"@a", ServiceKey(9)},
                                                      {"@a", ServiceKey(2)},
                                                      {"@.*", ServiceKey(9)},
                                                      {"@a", ServiceKey(9)}},
                       plenty);
  EXPECT_EQ(match(set, "@a:b"), keys({2, 9}));
  EXPECT_EQ(match(set, "@b:b"), keys({9}));
  EXPECT_EQ(match(set, "a"), keys({}));
}

TEST(PatternSet, of_no_patterns_matches_nothing) {
  const PatternSet set({}, plenty);
  EXPECT_EQ(match(set, "@a:b"), keys({}));
}

}  // namespace
}  // namespace postrider
