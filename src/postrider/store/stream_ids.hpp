#pragma once

#include <vector>

#include "postrider/base/id_range.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// Where several processes append, stream IDs come from a sequence, this many at a time: rarely
/// enough to cost nothing, and few enough that what a process leaves unused does not matter.
inline constexpr std::int64_t ids_per_draw = 1000;

/// Makes the stream's sequence if it has none, and lets it go on above `used`. A database that was
/// restored or failed over may have facts that its sequence knows nothing of. Gives the largest ID
/// that was ever drawn.
Result<StreamId> prepare_ids(SqlConnection& connection, StreamKey stream, StreamId used);

/// At least `count` IDs that nobody else gets, in rising order, neighbours joined.
Result<std::vector<IdRange>> draw_ids(SqlConnection& connection, StreamKey stream,
                                      std::int64_t count);

}  // namespace postrider
