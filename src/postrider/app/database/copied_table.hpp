#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/store/sql.hpp"

namespace postrider {

enum class ColumnKind { integer, text, blob };

struct CopiedColumn {
  std::string_view name;
  ColumnKind kind;
};

/// A table of the schema as a copy sees it. The first `key_size` columns are its key.
struct CopiedTable {
  std::string_view name;
  std::size_t key_size;
  std::span<const CopiedColumn> columns;
};

/// Those that hold what must not be lost; sessions and positions of writers begin anew.
std::span<const CopiedTable> copied_tables();

/// One value that outlives its row.
struct CopiedValue {
  ColumnKind kind = ColumnKind::integer;
  bool is_null = false;
  std::int64_t integer = 0;
  std::string bytes;

  [[nodiscard]] SqlValue as_sql() const;
};
using CopiedRow = std::vector<CopiedValue>;

/// Rows after `last`, of which only the key counts, in the order of the key; from the first on when
/// it is empty.
Result<std::vector<CopiedRow>> read_rows(SqlConnection& connection, const CopiedTable& table,
                                         const CopiedRow& last, std::int64_t count_max);
Result<void> insert_row(SqlConnection& connection, const CopiedTable& table, const CopiedRow& row);
/// The row at that place of the order, from 0; empty when there is none.
Result<CopiedRow> read_row_at(SqlConnection& connection, const CopiedTable& table,
                              std::int64_t place);
Result<std::int64_t> count_rows(SqlConnection& connection, const CopiedTable& table);

}  // namespace postrider
