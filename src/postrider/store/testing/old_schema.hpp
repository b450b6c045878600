#pragma once

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "postrider/store/migrations.hpp"
#include "postrider/store/schema.hpp"

namespace postrider {

inline constexpr auto table_names = std::to_array<std::string_view>(
    {"schema_version", "streams", "blocks", "idempotency_keys", "services", "delivery_states",
     "inbox_blocks", "members", "room_aliases", "newest_session", "sessions", "writer_positions",
     "leases", "outbox_batches", "decisions", "delivery_cursors", "quarantine", "declarations"});

inline void drop_table(SqlConnection& connection, std::string_view name) {
  ASSERT_TRUE(connection.execute_once(fmt::format("DROP TABLE IF EXISTS {}", name)));
}

/// Makes all tables anew and empty, as they were at `version`.
inline void make_old_schema(SqlConnection& connection, const Dialect& dialect,
                            std::int64_t version) {
  const auto run = [&](std::string_view sql) {
    std::string text(sql);
    for (const auto& [word, by] :
         {std::pair{std::string_view("{blob}"), dialect.blob},
          std::pair{std::string_view("{row_key}"), dialect.row_key},
          std::pair{std::string_view("{without_rowid}"), dialect.without_rowid}}) {
      if (const auto at = text.find(word); at != std::string::npos) {
        text.replace(at, word.size(), by);
      }
    }
    ASSERT_TRUE(connection.execute_once(text)) << text;
  };
  for (const std::string_view table : table_names) drop_table(connection, table);
  run("CREATE TABLE schema_version (version BIGINT NOT NULL)");
  for (std::int64_t i = 1; i <= version; ++i) {
    const MigrationStep& step = migration_steps()[static_cast<std::size_t>(i - 1)];
    for (const std::string_view sql : step.statements) run(sql);
    if (step.convert != nullptr) {
      ASSERT_TRUE(step.convert(connection));
    }
    for (const std::string_view sql : step.last_statements) run(sql);
    run(fmt::format("INSERT INTO schema_version (version) VALUES ({})", i));
  }
}

}  // namespace postrider
