#pragma once

#include <string>

#include <gtest/gtest.h>

#include "postrider/drivers/testing/temporary_database.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/store/decisions.hpp"
#include "postrider/store/inbox.hpp"
#include "postrider/store/testing/plain_service.hpp"

namespace postrider {

/// The store's statements on a real, empty database.
class StoreTest : public testing::Test {
 protected:
  static constexpr StreamKey stream{1};

  static Block block_of(StreamId first, StreamId last, WallTime appended_at = wall_time(1)) {
    return {.first = first,
            .last = last,
            .fact_count = last.value - first.value + 1,
            .appended_at = appended_at,
            .codec = "raw",
            .raw_bytes = 3,
            .data = {"\0x\xff", 3},
            .writer = InstanceKey{7},
            .checksum = {}};
  }

  /// Of every position from `first` to `last`.
  static InboxBlock inbox_block_of(StreamId first, StreamId last,
                                   WallTime appended_at = wall_time(1)) {
    const std::int64_t further = last.value - first.value;
    return {.first = first,
            .last = last,
            .fact_count = further + 1,
            .appended_at = appended_at,
            .positions = std::string(static_cast<std::size_t>(further), '\0')};
  }

  static DecisionRow decisions_of(StreamId after, StreamId through,
                                  WallTime appended_at = wall_time(1)) {
    return {.after = after,
            .through = through,
            .entries = 2,
            .appended_at = appended_at,
            .data = {"\0x\xff", 3}};
  }

  ServiceKey add_service(const std::string& id) {
    return insert_plain_service(*connection, id, wall_time(1));
  }

  TemporaryDatabase database;
  std::unique_ptr<SqlConnection> connection = database.connect_writer();
};

}  // namespace postrider
