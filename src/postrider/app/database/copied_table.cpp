#include "postrider/app/database/copied_table.hpp"

#include <array>
#include <map>

#include <fmt/ranges.h>

namespace postrider {
namespace {

constexpr ColumnKind integer = ColumnKind::integer;
constexpr ColumnKind text = ColumnKind::text;
constexpr ColumnKind blob = ColumnKind::blob;

constexpr auto streams_columns = std::to_array<CopiedColumn>({{"stream_key", integer},
                                                              {"name", text},
                                                              {"format", text},
                                                              {"created_at", integer},
                                                              {"sorted_through", integer},
                                                              {"facts_unwanted", integer},
                                                              {"dropped_through", integer},
                                                              {"compacted_through", integer}});
constexpr auto blocks_columns = std::to_array<CopiedColumn>({{"stream_key", integer},
                                                             {"last_id", integer},
                                                             {"first_id", integer},
                                                             {"fact_count", integer},
                                                             {"appended_at", integer},
                                                             {"codec", text},
                                                             {"raw_bytes", integer},
                                                             {"data", blob},
                                                             {"checksum", integer}});
constexpr auto quarantine_columns = std::to_array<CopiedColumn>({{"stream_key", integer},
                                                                 {"first_id", integer},
                                                                 {"last_id", integer},
                                                                 {"cause", text},
                                                                 {"found_at", integer}});
constexpr auto idempotency_keys_columns = std::to_array<CopiedColumn>({{"stream_key", integer},
                                                                       {"key", text},
                                                                       {"body_digest", blob},
                                                                       {"first_id", integer},
                                                                       {"last_id", integer},
                                                                       {"fact_count", integer},
                                                                       {"created_at", integer}});
constexpr auto services_columns = std::to_array<CopiedColumn>({{"service_key", integer},
                                                               {"id", text},
                                                               {"source", text},
                                                               {"kind", text},
                                                               {"document", text},
                                                               {"transaction_prefix", text},
                                                               {"created_at", integer}});
constexpr auto delivery_states_columns =
    std::to_array<CopiedColumn>({{"service_key", integer},
                                 {"status", text},
                                 {"attempts", integer},
                                 {"retry_interval_ms", integer},
                                 {"next_attempt_at", integer},
                                 {"last_error", text},
                                 {"paused_by", integer}});
constexpr auto delivery_cursors_columns =
    std::to_array<CopiedColumn>({{"service_key", integer},
                                 {"stream_key", integer},
                                 {"acknowledged_id", integer},
                                 {"transaction_number", integer},
                                 {"frozen_through_id", integer},
                                 {"delivered", integer},
                                 {"exceptions", blob}});
constexpr auto decisions_columns = std::to_array<CopiedColumn>({{"stream_key", integer},
                                                                {"through_id", integer},
                                                                {"after_id", integer},
                                                                {"entry_count", integer},
                                                                {"appended_at", integer},
                                                                {"data", blob}});
constexpr auto inbox_blocks_columns = std::to_array<CopiedColumn>({{"service_key", integer},
                                                                   {"stream_key", integer},
                                                                   {"last_id", integer},
                                                                   {"first_id", integer},
                                                                   {"fact_count", integer},
                                                                   {"appended_at", integer},
                                                                   {"positions", blob}});
constexpr auto members_columns =
    std::to_array<CopiedColumn>({{"stream_key", integer}, {"room_id", text}, {"user_id", text}});
constexpr auto room_aliases_columns = std::to_array<CopiedColumn>(
    {{"stream_key", integer}, {"room_id", text}, {"source", text}, {"alias", text}});
constexpr auto outbox_batches_columns = std::to_array<CopiedColumn>({{"outbox", text},
                                                                     {"stream_key", integer},
                                                                     {"number", integer},
                                                                     {"last_id", integer},
                                                                     {"row_ids", text}});

constexpr std::array tables = {CopiedTable{"streams", 1, streams_columns},
                               CopiedTable{"blocks", 2, blocks_columns},
                               CopiedTable{"quarantine", 2, quarantine_columns},
                               CopiedTable{"idempotency_keys", 2, idempotency_keys_columns},
                               CopiedTable{"services", 1, services_columns},
                               CopiedTable{"delivery_states", 1, delivery_states_columns},
                               CopiedTable{"delivery_cursors", 2, delivery_cursors_columns},
                               CopiedTable{"decisions", 2, decisions_columns},
                               CopiedTable{"inbox_blocks", 3, inbox_blocks_columns},
                               CopiedTable{"members", 3, members_columns},
                               CopiedTable{"room_aliases", 4, room_aliases_columns},
                               CopiedTable{"outbox_batches", 2, outbox_batches_columns}};

std::vector<std::string> names_of(const CopiedTable& table, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.emplace_back(table.columns[i].name);
  return names;
}

std::vector<std::string> parameters(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i <= count; ++i) names.push_back(fmt::format("${}", i));
  return names;
}

/// Drivers find a statement again by the address of its text, so that each is made once.
const Statement& remembered(std::string sql) {
  static std::map<std::string, Statement> statements;
  const auto [at, is_new] = statements.try_emplace(std::move(sql));
  if (is_new) at->second.sql = at->first;
  return at->second;
}

CopiedValue value_of(const SqlRow& row, int column, ColumnKind kind) {
  CopiedValue value{.kind = kind, .is_null = row.is_null(column), .integer = 0, .bytes = {}};
  if (value.is_null) return value;
  if (kind == ColumnKind::integer) value.integer = row.integer(column);
  if (kind == ColumnKind::text) value.bytes = row.text(column);
  if (kind == ColumnKind::blob) value.bytes = row.blob(column);
  return value;
}

CopiedRow row_of(const SqlRow& row, const CopiedTable& table, std::size_t count) {
  CopiedRow values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(value_of(row, static_cast<int>(i), table.columns[i].kind));
  }
  return values;
}

}  // namespace

std::span<const CopiedTable> copied_tables() {
  return tables;
}

SqlValue CopiedValue::as_sql() const {
  if (is_null) return nullptr;
  if (kind == ColumnKind::integer) return integer;
  if (kind == ColumnKind::text) return std::string_view(bytes);
  return Blob{bytes};
}

Result<std::vector<CopiedRow>> read_rows(SqlConnection& connection, const CopiedTable& table,
                                         const CopiedRow& last, std::int64_t count_max) {
  const auto columns = names_of(table, table.columns.size());
  const auto key = names_of(table, table.key_size);
  std::string after;
  std::vector<SqlValue> values;
  if (!last.empty()) {
    after = fmt::format(" WHERE ({}) > ({})", fmt::join(key, ", "),
                        fmt::join(parameters(table.key_size), ", "));
    for (std::size_t i = 0; i < table.key_size; ++i) values.push_back(last.at(i).as_sql());
  }
  values.emplace_back(count_max);
  const Statement& statement =
      remembered(fmt::format("SELECT {} FROM {}{} ORDER BY {} LIMIT ${}", fmt::join(columns, ", "),
                             table.name, after, fmt::join(key, ", "), values.size()));
  std::vector<CopiedRow> rows;
  TRY_VOID(connection.execute(statement, values, [&](const SqlRow& row) {
    rows.push_back(row_of(row, table, table.columns.size()));
  }));
  return rows;
}

Result<CopiedRow> read_row_at(SqlConnection& connection, const CopiedTable& table,
                              std::int64_t place) {
  const auto columns = names_of(table, table.columns.size());
  const auto key = names_of(table, table.key_size);
  const Statement& statement =
      remembered(fmt::format("SELECT {} FROM {} ORDER BY {} LIMIT 1 OFFSET $1",
                             fmt::join(columns, ", "), table.name, fmt::join(key, ", ")));
  CopiedRow found;
  TRY_VOID(connection.execute(statement, {place}, [&](const SqlRow& row) {
    found = row_of(row, table, table.columns.size());
  }));
  return found;
}

Result<void> insert_row(SqlConnection& connection, const CopiedTable& table, const CopiedRow& row) {
  const Statement& statement =
      remembered(fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name,
                             fmt::join(names_of(table, table.columns.size()), ", "),
                             fmt::join(parameters(table.columns.size()), ", ")));
  std::vector<SqlValue> values;
  for (const CopiedValue& value : row) values.push_back(value.as_sql());
  return connection.enqueue(statement, values);
}

Result<std::int64_t> count_rows(SqlConnection& connection, const CopiedTable& table) {
  std::int64_t count = 0;
  TRY_VOID(connection.execute(remembered(fmt::format("SELECT COUNT(*) FROM {}", table.name)), {},
                              [&count](const SqlRow& row) { count = row.integer(0); }));
  return count;
}

}  // namespace postrider
