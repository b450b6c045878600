#include "postrider/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace postrider {

void invariant_broken(std::string_view expression, std::string_view message, std::string_view file,
                      int line) {
  fmt::print(stderr, "postrider: broken invariant: {} ({}) at {}:{}\n", message, expression, file,
             line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace postrider
