#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// Rows of an outbox that are facts of a stream now, in the commit that made them so: whoever
/// drains the outbox next deletes them there first.
struct OutboxBatch {
  StreamKey stream;
  std::int64_t number = 0;  ///< counts the batches that came into the stream; 0 before the first
  StreamId last;            ///< where the last fact that came from the outbox stands
  std::string row_ids;      ///< as the outbox's database writes a list of them; empty for none
};

/// The last batch of each stream that has had any. `outbox`: its identity.
Result<std::vector<OutboxBatch>> read_outbox_batches(SqlConnection& connection,
                                                     std::string_view outbox);
/// Replaces the batch with the number before. False when that is not the last one, as when another
/// process drains the outbox too, or does not stand before `first`.
Result<bool> put_outbox_batch(SqlConnection& connection, std::string_view outbox,
                              const OutboxBatch& batch, StreamId first);

}  // namespace postrider
