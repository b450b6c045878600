#include "postrider/base/memory.hpp"

#include <malloc.h>

namespace postrider {

void return_freed_memory() {
  ::malloc_trim(0);
}

}  // namespace postrider
