#include "postrider/sort/pattern_set.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include <re2/set.h>

#include "postrider/base/assert.hpp"
#include "postrider/sort/pattern_options.hpp"

namespace postrider {

struct PatternSet::Compiled {
  explicit Compiled(std::int64_t memory_max)
      : set(pattern_options(memory_max), re2::RE2::ANCHOR_START) {}

  re2::RE2::Set set;
  bool set_usable = false;
  std::once_flag fell_back;
  std::vector<std::unique_ptr<re2::RE2>> single;  ///< only when the set was too large once
};

PatternSet::PatternSet(const std::vector<Entry>& entries, std::int64_t memory_max)
    : compiled_(std::make_unique<Compiled>(memory_max)) {
  std::map<std::string, ServiceSet> by_pattern;
  for (const Entry& entry : entries) {
    by_pattern[entry.regex].push_back(entry.service);
  }
  for (auto& [pattern, services] : by_pattern) {
    std::ranges::sort(services);
    services.erase(std::ranges::unique(services).begin(), services.end());
    std::string reason;
    const int index = compiled_->set.Add(pattern, &reason);
    POSTRIDER_ASSERT(index == static_cast<int>(patterns_.size()), "pattern {}: {}", pattern,
                     reason);
    patterns_.push_back(pattern);
    services_.push_back(std::move(services));
  }
  compiled_->set_usable = !patterns_.empty() && compiled_->set.Compile();
}

PatternSet::~PatternSet() = default;

void PatternSet::match(std::string_view name, ServiceSet& services) const {
  if (patterns_.empty()) return;
  const std::vector<int> indexes = matching(name);
  for (const int index : indexes) {
    const auto& some = services_[static_cast<std::size_t>(index)];
    services.insert(services.end(), some.begin(), some.end());
  }
  if (indexes.size() < 2) return;
  std::ranges::sort(services);
  services.erase(std::ranges::unique(services).begin(), services.end());
}

std::vector<int> PatternSet::matching(std::string_view name) const {
  if (compiled_->set_usable) {
    std::vector<int> indexes;
    re2::RE2::Set::ErrorInfo info{};
    if (compiled_->set.Match({name.data(), name.size()}, &indexes, &info)) return indexes;
    if (info.kind == re2::RE2::Set::kNoError) return {};
  }
  return matching_one_by_one(name);
}

std::vector<int> PatternSet::matching_one_by_one(std::string_view name) const {
  auto& single = compiled_->single;
  std::call_once(compiled_->fell_back, [this, &single] {
    for (const std::string& pattern : patterns_) {
      single.push_back(
          std::make_unique<re2::RE2>(pattern, pattern_options(re2::RE2::Options::kDefaultMaxMem)));
    }
  });
  const re2::StringPiece text(name.data(), name.size());
  std::vector<int> indexes;
  for (std::size_t i = 0; i < single.size(); ++i) {
    if (single[i]->Match(text, 0, text.size(), re2::RE2::ANCHOR_START, nullptr, 0)) {
      indexes.push_back(static_cast<int>(i));
    }
  }
  return indexes;
}

}  // namespace postrider
