#include "postrider/store/migrations.hpp"

#include <string>
#include <vector>

#include "postrider/store/schema.hpp"

namespace postrider {
namespace {

constexpr Statement create_version_sql{
    "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)"};
constexpr Statement read_version_sql{"SELECT MAX(version) FROM schema_version"};
constexpr Statement write_version_sql{"INSERT INTO schema_version (version) VALUES ($1)"};

void replace_all(std::string& text, std::string_view word, std::string_view by) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
}

std::string in_dialect(std::string_view sql, const Dialect& dialect) {
  std::string text(sql);
  replace_all(text, "{blob}", dialect.blob);
  replace_all(text, "{row_key}", dialect.row_key);
  replace_all(text, "{without_rowid}", dialect.without_rowid);
  return text;
}

Result<std::int64_t> read_version(SqlConnection& connection) {
  std::int64_t version = 0;
  TRY_VOID(connection.execute(read_version_sql, {}, [&version](const SqlRow& row) {
    if (!row.is_null(0)) version = row.integer(0);
  }));
  return version;
}

Result<void> execute_all(SqlConnection& connection, const Dialect& dialect,
                         std::span<const std::string_view> statements) {
  for (const std::string_view sql : statements) {
    const std::string text = in_dialect(sql, dialect);
    TRY_VOID(connection.execute_once(text));
  }
  return {};
}

Result<void> run_step(SqlConnection& connection, const Dialect& dialect, std::int64_t version) {
  const MigrationStep& step = migration_steps()[static_cast<std::size_t>(version - 1)];
  return transact(connection, [&]() -> Result<void> {
    TRY_VOID(execute_all(connection, dialect, step.statements));
    if (step.convert != nullptr) TRY_VOID(step.convert(connection));
    TRY_VOID(execute_all(connection, dialect, step.last_statements));
    TRY_VOID(connection.execute(write_version_sql, {version}));
    return {};
  });
}

}  // namespace

std::int64_t schema_version() {
  return static_cast<std::int64_t>(migration_steps().size());
}

Result<void> migrate(SqlConnection& connection, const Dialect& dialect) {
  TRY_VOID(connection.execute(create_version_sql));
  TRY(const std::int64_t found, read_version(connection));
  if (found > schema_version()) {
    return fail(Code::storage_incompatible,
                "the database has schema version {}, and this postrider knows up to {}; use a newer"
                " postrider",
                found, schema_version());
  }
  for (std::int64_t version = found + 1; version <= schema_version(); ++version) {
    TRY_VOID(run_step(connection, dialect, version));
  }
  return {};
}

}  // namespace postrider
