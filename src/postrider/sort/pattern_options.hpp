#pragma once

#include <cstdint>

#include <re2/re2.h>

namespace postrider {

/// How every pattern is read. Names are UTF-8. Errors are values and not lines of a log.
inline re2::RE2::Options pattern_options(std::int64_t memory_max) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(memory_max);
  options.set_never_capture(true);
  return options;
}

}  // namespace postrider
