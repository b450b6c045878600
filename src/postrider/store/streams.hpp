#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

struct StreamRow {
  StreamKey key;
  std::string name;
  std::string format;
  StreamId sorted_through;          ///< interest is decided and frozen up to here
  std::int64_t facts_unwanted = 0;  ///< of those, how many no service gets
  StreamId dropped_through;  ///< retention has deleted up to here; IDs are never given out again
};

Result<std::vector<StreamRow>> read_streams(SqlConnection& connection);
/// Gives the row of that name, which another process may have made meanwhile.
Result<StreamRow> put_stream(SqlConnection& connection, std::string_view name,
                             std::string_view format, WallTime now);
Result<void> set_sorted_through(SqlConnection& connection, StreamKey stream, StreamId through,
                                std::int64_t facts_unwanted);
Result<StreamId> read_sorted_through(SqlConnection& connection, StreamKey stream);
Result<StreamId> read_dropped_through(SqlConnection& connection, StreamKey stream);
Result<void> set_dropped_through(SqlConnection& connection, StreamKey stream, StreamId through);

}  // namespace postrider
