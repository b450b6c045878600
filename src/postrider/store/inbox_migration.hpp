#pragma once

#include "postrider/store/sql.hpp"

namespace postrider {

/// Before schema version 5 a service had one inbox over all streams, counted by entries. Splits
/// each into one for each stream, and writes cursors in place of the counts. A transaction that is
/// frozen stays so when its facts are of one stream; one of several streams is sent anew, under the
/// next number.
Result<void> split_inboxes(SqlConnection& connection);

}  // namespace postrider
