#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postrider/base/id_range.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// Facts that were passed by, since they could not be read or decided.
struct QuarantineRow {
  StreamKey stream;
  IdRange ids;
  std::string cause;
  WallTime found_at{};
};

/// False, and nothing is changed, when a row that begins with the same fact holds all of it.
Result<bool> insert_quarantined(SqlConnection& connection, const QuarantineRow& row);

/// Of all streams, in order of stream and fact, at most `count_max`.
Result<std::vector<QuarantineRow>> read_quarantined(SqlConnection& connection,
                                                    std::int64_t count_max);

/// The row that begins with the fact.
Result<std::optional<QuarantineRow>> find_quarantined(SqlConnection& connection, StreamKey stream,
                                                      StreamId first);

/// False when there is none.
Result<bool> delete_quarantined(SqlConnection& connection, StreamKey stream, StreamId first);

/// Those whose facts are no longer kept.
Result<void> expire_quarantined(SqlConnection& connection, StreamKey stream, StreamId dropped);

}  // namespace postrider
