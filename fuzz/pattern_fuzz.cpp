// A pattern of a registration, on the first line, and a name that it may match: all patterns at
// once say the same as one by one.
#include "fuzz/input.hpp"
#include <re2/re2.h>

#include "postrider/base/assert.hpp"
#include "postrider/matrix/pattern.hpp"
#include "postrider/sort/pattern_options.hpp"
#include "postrider/sort/pattern_set.hpp"

namespace postrider {
namespace {

constexpr std::int64_t memory_max = 1 << 20;

bool matches_alone(const std::string& pattern, std::string_view name) {
  const re2::RE2 compiled(pattern, pattern_options(memory_max));
  POSTRIDER_ASSERT(compiled.ok(), "{} was taken and does not compile: {}", pattern,
                   compiled.error());
  return compiled.Match(name, 0, name.size(), re2::RE2::ANCHOR_START, nullptr, 0);
}

}  // namespace
}  // namespace postrider

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  FuzzInput input(data, size);
  const std::string_view pattern = input.take_line();
  const std::string_view name = input.rest();
  if (!check_pattern(pattern, 500)) return 0;
  const std::vector<PatternSet::Entry> entries = {{"@other_.*", ServiceKey{1}},
                                                  {pattern_for_re2(pattern), ServiceKey{2}}};
  const PatternSet patterns(entries, memory_max);
  std::vector<ServiceKey> services;
  patterns.match(name, services);
  const bool matched = !services.empty() && services.back() == ServiceKey{2};
  POSTRIDER_ASSERT(matched == matches_alone(pattern_for_re2(pattern), name),
                   "{} matches {} in one way only", pattern, name);
  return 0;
}
