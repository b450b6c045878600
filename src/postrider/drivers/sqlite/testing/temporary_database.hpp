#pragma once

#include <memory>

#include "postrider/base/testing/temporary_folder.hpp"
#include "postrider/drivers/sqlite/sqlite_database.hpp"

namespace postrider {

/// A real, empty database file with the current schema.
class TemporaryDatabase {
 public:
  [[nodiscard]] std::unique_ptr<SqlConnection> connect_writer() const {
    return database_->connect(SqliteDatabase::Access::read_write).value();
  }
  [[nodiscard]] std::unique_ptr<SqlConnection> connect_reader() const {
    return database_->connect(SqliteDatabase::Access::read_only).value();
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<SqliteDatabase> database_ =
      SqliteDatabase::open({.path = folder_.file("p.db"), .size_max_bytes = 0, .vfs = {}}).value();
};

}  // namespace postrider
