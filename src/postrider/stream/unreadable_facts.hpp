#pragma once

#include <string>

#include "postrider/base/id_range.hpp"

namespace postrider {

/// Facts of a stream that are stored and cannot be read, or not be decided. They are passed by, and
/// kept in quarantine until an operator tries them again or drops them.
struct UnreadableFacts {
  IdRange ids;
  std::string cause;  ///< may hold what the database says of a value that it refuses
};

}  // namespace postrider
