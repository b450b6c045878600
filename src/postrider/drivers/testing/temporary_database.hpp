#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include <unistd.h>

#include "postrider/base/testing/temporary_folder.hpp"
#include "postrider/drivers/postgres/postgres_connection.hpp"
#include "postrider/drivers/postgres/postgres_database.hpp"
#include "postrider/drivers/postgres/testing/postgres_server.hpp"
#include "postrider/drivers/sqlite/sqlite_database.hpp"
#include "postrider/store/migrations.hpp"

namespace postrider {

/// A real, empty database with the current schema, gone at its end: an SQLite file or, when the
/// variable DATABASE_UNDER_TEST says `postgresql`, a schema on a server that the test program
/// starts.
class TemporaryDatabase {
 public:
  TemporaryDatabase() {
    const char* const kind = std::getenv("DATABASE_UNDER_TEST");
    if (kind == nullptr) {
      database_ =
          SqliteDatabase::open({.path = folder_.file("p.db"), .size_max_bytes = 0, .vfs = {}})
              .value();
      return;
    }
    static int count = 0;
    postgres_ = {.url = PostgresServer::shared().url(),
                 .schema = fmt::format("test_{}_{}", ::getpid(), ++count)};
    database_ = PostgresDatabase::open(postgres_).value();
  }
  TemporaryDatabase(const TemporaryDatabase&) = delete;
  TemporaryDatabase& operator=(const TemporaryDatabase&) = delete;
  ~TemporaryDatabase() {
    if (postgres_.url.empty()) return;
    const auto accept = [](PostgresConnection&) -> Result<void> { return {}; };
    const auto dropped = PostgresConnection::open(postgres_.url, accept)
                             .value()
                             ->execute_once("SET client_min_messages = warning; DROP SCHEMA " +
                                            postgres_.schema + " CASCADE");
    if (!dropped) std::abort();
  }

  [[nodiscard]] std::unique_ptr<SqlConnection> connect_writer() const {
    return database_->connect(Database::Access::read_write).value();
  }
  /// For a process of that name, one of several.
  [[nodiscard]] std::unique_ptr<SqlConnection> connect_writer(const std::string& instance) const {
    if (postgres_.url.empty()) return connect_writer();
    PostgresSettings settings = postgres_;
    settings.instance_name = instance;
    return PostgresDatabase::open(std::move(settings))
        .value()
        ->connect(Database::Access::read_write)
        .value();
  }
  [[nodiscard]] const Dialect& dialect() const {
    return postgres_.url.empty() ? sqlite_dialect : postgres_dialect;
  }
  [[nodiscard]] std::unique_ptr<SqlConnection> connect_reader() const {
    return database_->connect(Database::Access::read_only).value();
  }

 private:
  TemporaryFolder folder_;
  PostgresSettings postgres_;
  std::unique_ptr<Database> database_;
};

}  // namespace postrider
