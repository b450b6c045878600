#pragma once

#include "postrider/runtime/lane.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// A connection to the database and the lane it lives on. The connection is used on that lane only:
/// `run_on(reader.lane, work)`. References must outlive whoever holds it.
struct Reader {
  Lane& lane;
  SqlConnection& connection;
};

}  // namespace postrider
