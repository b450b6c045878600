#include "postrider/app/database/installation_copy.hpp"

#include <filesystem>
#include <map>

#include "postrider/app/config/settings.hpp"
#include "postrider/app/database/copied_table.hpp"
#include "postrider/drivers/postgres/postgres_database.hpp"
#include "postrider/drivers/sqlite/sqlite_database.hpp"

namespace postrider {
namespace {

constexpr std::string_view sqlite_prefix = "sqlite:";

constexpr Statement exists_sql{"SELECT count(to_regclass('unfinished_copy'))"};
constexpr Statement source_sql{"SELECT source FROM unfinished_copy"};
constexpr Statement insert_source_sql{"INSERT INTO unfinished_copy (source) VALUES ($1)"};
// What SQLite remembers so that no key is given out twice.
constexpr Statement last_keys_sql{"SELECT name, seq FROM sqlite_sequence"};
constexpr Statement set_key_sql{
    "SELECT setval(pg_get_serial_sequence($1::text, $2::text), $3::bigint)"};

Result<void> check_ends(const InstallationCopy& copy) {
  if (!copy.from.starts_with(sqlite_prefix)) {
    return fail(Code::invalid_argument, "FROM is \"{}\"; allowed: sqlite:PATH", copy.from);
  }
  if (!is_postgres(copy.to)) {
    return fail(Code::invalid_argument, "TO is no URL of PostgreSQL; allowed: postgresql://…");
  }
  const std::string path = copy.from.substr(sqlite_prefix.size());
  if (!std::filesystem::exists(path)) return fail(Code::not_found, "there is no file {}", path);
  return {};
}

/// What keeps a copy from beginning in the target; empty when nothing does.
Result<std::string> read_obstacle(SqlConnection& to) {
  for (const CopiedTable& table : copied_tables()) {
    TRY(const std::int64_t rows, count_rows(to, table));
    if (rows > 0) return fmt::format("{} rows in {}", rows, table.name);
  }
  return std::string();
}

/// The file that a copy which is not finished comes from; empty without one.
Result<std::string> read_begun(SqlConnection& to) {
  std::int64_t exists = 0;
  TRY_VOID(to.execute(exists_sql, {}, [&exists](const SqlRow& row) { exists = row.integer(0); }));
  std::string begun;
  if (exists == 0) return begun;
  TRY_VOID(to.execute(source_sql, {}, [&begun](const SqlRow& row) { begun = row.text(0); }));
  return begun;
}

Result<void> begin_copy(SqlConnection& to, const std::string& source) {
  TRY_VOID(to.execute_once("CREATE TABLE IF NOT EXISTS unfinished_copy (source TEXT NOT NULL)"));
  TRY_VOID(to.execute(insert_source_sql, {std::string_view(source)}));
  return {};
}

Result<void> end_copy(SqlConnection& from, SqlConnection& to) {
  std::map<std::string, std::int64_t> last_keys;
  TRY_VOID(from.execute(last_keys_sql, {}, [&last_keys](const SqlRow& row) {
    last_keys[std::string(row.text(0))] = row.integer(1);
  }));
  for (const CopiedTable& table : copied_tables()) {
    const auto last = last_keys.find(std::string(table.name));
    if (last == last_keys.end() || last->second == 0) continue;
    TRY_VOID(to.execute(set_key_sql, {table.name, table.columns.front().name, last->second}));
  }
  return to.execute_once("DROP TABLE unfinished_copy");
}

/// A copy may have been stopped between its end and its last word.
Result<CopiedInstallation> compare_with_complete(SqlConnection& from, SqlConnection& to,
                                                 const std::string& obstacle,
                                                 const CopyWatch& watch) {
  const auto rows = compare_databases(from, to, watch);
  if (rows) return CopiedInstallation{.rows = *rows, .was_complete = true};
  if (rows.error().code != Code::storage_failed) return std::unexpected(rows.error());
  return fail(Code::conflict,
              "the target has {}, and not what the file holds ({}); copy into an empty schema",
              obstacle, rows.error().detail);
}

}  // namespace

Result<CopiedInstallation> copy_installation(const InstallationCopy& copy, const CopyWatch& watch) {
  TRY_VOID(check_ends(copy));
  const std::string path = copy.from.substr(sqlite_prefix.size());
  TRY(const auto source, SqliteDatabase::open({.path = path, .size_max_bytes = 0, .vfs = {}}));
  TRY(const auto from, source->connect(Database::Access::read_only));
  PostgresSettings settings{.url = copy.to, .schema = copy.schema, .instance_name = "db-copy"};
  settings.takes_unfinished_copy = true;
  settings.silence_max = std::chrono::hours{1};  // while it reads the file it says nothing
  TRY(const auto target, PostgresDatabase::open(std::move(settings)));
  TRY(const auto to, target->connect(Database::Access::read_write));

  // Whoever comes again must come from the same file.
  const std::string file = std::filesystem::absolute(path).lexically_normal().string();
  TRY(const std::string begun, read_begun(*to));
  if (!begun.empty() && begun != file) {
    return fail(Code::conflict,
                "the target holds the beginning of a copy of {}; finish that, or"
                " drop the schema",
                begun);
  }
  if (begun.empty()) {
    TRY(const std::string obstacle, read_obstacle(*to));
    if (!obstacle.empty()) return compare_with_complete(*from, *to, obstacle, watch);
    TRY_VOID(begin_copy(*to, file));
  }
  TRY(const std::int64_t rows, copy_database(*from, *to, watch));
  TRY_VOID(end_copy(*from, *to));
  return CopiedInstallation{.rows = rows};
}

}  // namespace postrider
