#pragma once

#include <string>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

// The decisions of a stream: a log in linear order, one row for each commit of its sorter that
// found interest. Compaction folds the oldest rows into inbox blocks and deletes them.

struct DecisionRow {
  StreamId after;            ///< decided are the facts after this one
  StreamId through;          ///< and up to this one
  std::int64_t entries = 0;  ///< facts that services get, each fact once for each service
  WallTime appended_at{};    ///< of the oldest fact
  std::string data;          ///< which services get which of them, packed by sort/decisions
};

Result<void> insert_decisions(SqlConnection& connection, StreamKey stream, const DecisionRow& row);

struct StoredDecisions {
  StreamKey stream;
  StreamId compacted_through;     ///< what was decided up to here is in inbox blocks
  std::vector<DecisionRow> rows;  ///< what was decided after that, in order
};
/// Of every stream. Compaction bounds how much that is.
Result<std::vector<StoredDecisions>> read_decisions(SqlConnection& connection);
/// Deletes the rows up to `through`: what they say is in inbox blocks from now on.
Result<void> fold_decisions(SqlConnection& connection, StreamKey stream, StreamId through);
Result<StreamId> read_compacted_through(SqlConnection& connection, StreamKey stream);

}  // namespace postrider
