#include "postrider/app/database/database_copy.hpp"

#include <array>
#include <cstring>

#include <openssl/sha.h>

#include "postrider/app/database/copied_table.hpp"
#include "postrider/base/varint.hpp"

namespace postrider {
namespace {

// A block may have 1 MiB.
constexpr std::int64_t rows_per_batch = 64;

/// Of a row, so that the sum over a table does not depend on the order.
std::uint64_t checksum(const CopiedRow& row) {
  std::string bytes;
  for (const CopiedValue& value : row) {
    put_varint(bytes, value.is_null ? 0 : 1);
    put_varint(bytes, static_cast<std::uint64_t>(value.integer));
    put_varint(bytes, value.bytes.size());
    bytes += value.bytes;
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::uint64_t sum = 0;
  std::memcpy(&sum, digest.data(), sizeof(sum));
  return sum;
}

/// How many rows a table has, and the sum of their checksums.
struct Contents {
  std::int64_t rows = 0;
  std::uint64_t sum = 0;
  bool operator==(const Contents&) const = default;
};

class Copy {
 public:
  Copy(SqlConnection& from, SqlConnection& to, const CopyWatch& watch)
      : from_(from), to_(to), watch_(watch) {}

  Result<std::int64_t> run() {
    TRY_VOID(count());
    for (const CopiedTable& table : copied_tables()) TRY_VOID(copy(table));
    auto rows = compare_all();
    if (rows || rows.error().code != Code::storage_failed) return rows;
    return fail(Code::storage_failed, "{}; empty the target and copy again", rows.error().detail);
  }
  Result<std::int64_t> run_comparison() {
    TRY_VOID(count());
    progress_.copied_rows = progress_.total_rows;
    return compare_all();
  }

 private:
  Result<void> count() {
    for (const CopiedTable& table : copied_tables()) {
      TRY(const std::int64_t rows, count_rows(from_, table));
      progress_.total_rows += rows;
    }
    return {};
  }

  Result<std::int64_t> compare_all() {
    for (const CopiedTable& table : copied_tables()) TRY_VOID(compare(table));
    return progress_.total_rows;
  }

  Result<void> go_on(std::int64_t rows) {
    progress_.copied_rows += rows;
    if (watch_(progress_)) return {};
    return fail(Code::stopping, "interrupted; the same command goes on where it ended");
  }

  Result<void> copy(const CopiedTable& table) {
    progress_.table = table.name;
    // Batches went over whole and in order, so that their number says where to go on.
    TRY(const std::int64_t done, count_rows(to_, table));
    CopiedRow last;
    if (done > 0) {
      TRY(last, read_row_at(from_, table, done - 1));
    }
    TRY_VOID(go_on(done));
    while (true) {
      TRY(const auto rows, read_rows(from_, table, last, rows_per_batch));
      if (rows.empty()) return {};
      TRY_VOID(transact(to_, [&]() -> Result<void> {
        for (const CopiedRow& row : rows) TRY_VOID(insert_row(to_, table, row));
        return {};
      }));
      last = rows.back();
      TRY_VOID(go_on(std::ssize(rows)));
    }
  }

  Result<Contents> contents_of(SqlConnection& connection, const CopiedTable& table) {
    Contents contents;
    CopiedRow last;
    while (true) {
      TRY(const auto rows, read_rows(connection, table, last, rows_per_batch));
      if (rows.empty()) return contents;
      for (const CopiedRow& row : rows) contents.sum += checksum(row);
      contents.rows += std::ssize(rows);
      last = rows.back();
      TRY_VOID(go_on(0));
    }
  }

  Result<void> compare(const CopiedTable& table) {
    TRY(const Contents source, contents_of(from_, table));
    TRY(const Contents target, contents_of(to_, table));
    if (source == target) return {};
    return fail(Code::storage_failed,
                "table {} has {} rows with checksum {:016x} here and {} rows with {:016x} there",
                table.name, source.rows, source.sum, target.rows, target.sum);
  }

  SqlConnection& from_;
  SqlConnection& to_;
  const CopyWatch& watch_;
  CopyProgress progress_;
};

}  // namespace

Result<std::int64_t> copy_database(SqlConnection& from, SqlConnection& to, const CopyWatch& watch) {
  return Copy(from, to, watch).run();
}

Result<std::int64_t> compare_databases(SqlConnection& from, SqlConnection& to,
                                       const CopyWatch& watch) {
  return Copy(from, to, watch).run_comparison();
}

}  // namespace postrider
