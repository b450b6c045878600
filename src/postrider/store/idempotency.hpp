#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// The first answer to an append that carried an Idempotency-Key.
struct KeyedAppend {
  std::string key;
  std::string body_digest;  ///< 32 bytes; tells a retry from another append under the same key
  StreamId first;
  StreamId last;
  std::int64_t fact_count = 0;
  WallTime created_at{};
};

Result<std::optional<KeyedAppend>> find_keyed_append(SqlConnection& connection, StreamKey stream,
                                                     std::string_view key);
/// Replaces one under the same key that was made before `expired_before`. False when there is a
/// younger one: another process has appended under the key.
Result<bool> insert_keyed_append(SqlConnection& connection, StreamKey stream,
                                 const KeyedAppend& append, WallTime expired_before);
/// Deletes up to `count_max` that were made before `created_before`; gives how many.
Result<std::int64_t> expire_keyed_appends(SqlConnection& connection, WallTime created_before,
                                          std::int64_t count_max);

}  // namespace postrider
