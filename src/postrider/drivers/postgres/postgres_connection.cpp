#include "postrider/drivers/postgres/postgres_connection.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <libpq-fe.h>

namespace postrider {
namespace {

// Object IDs of PostgreSQL's own types, fixed in its catalogue.
constexpr Oid type_bytea = 17;
constexpr Oid type_int8 = 20;
constexpr Oid type_text = 25;
constexpr int binary = 1;

std::int64_t from_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8U | static_cast<unsigned char>(c);
  const auto bits = static_cast<unsigned>(bytes.size() * 8);
  if (bits == 0 || bits >= 64) return static_cast<std::int64_t>(number);
  const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  return static_cast<std::int64_t>((number ^ sign) - sign);
}

class PostgresRow final : public SqlRow {
 public:
  PostgresRow(const PGresult* result, int row) : result_(result), row_(row) {}

  [[nodiscard]] bool is_null(int column) const override {
    return PQgetisnull(result_, row_, column) == 1;
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    return from_big_endian(blob(column));
  }
  [[nodiscard]] std::string_view text(int column) const override { return blob(column); }
  [[nodiscard]] std::string_view blob(int column) const override {
    return {PQgetvalue(result_, row_, column),
            static_cast<std::size_t>(PQgetlength(result_, row_, column))};
  }

 private:
  const PGresult* result_;
  int row_;
};

/// The values of one statement as libpq takes them: all in binary form.
struct Parameters {
  explicit Parameters(std::span<const SqlValue> values) {
    numbers.reserve(values.size());
    for (const SqlValue& value : values) std::visit([this](auto each) { add(each); }, value);
  }
  void add(std::nullptr_t) { add_bytes(0, nullptr, 0); }
  void add(std::int64_t number) {
    const std::uint64_t network = std::byteswap(static_cast<std::uint64_t>(number));
    numbers.push_back(std::bit_cast<std::array<char, 8>>(network));
    add_bytes(type_int8, numbers.back().data(), 8);
  }
  void add(std::string_view text) { add_bytes(type_text, text.data(), text.size()); }
  void add(Blob blob) { add_bytes(type_bytea, blob.bytes.data(), blob.bytes.size()); }
  void add_bytes(Oid type, const char* bytes, std::size_t size) {
    types.push_back(type);
    // A null pointer is a NULL to libpq; an empty text is not one.
    pointers.push_back(type != 0 && bytes == nullptr ? "" : bytes);
    lengths.push_back(static_cast<int>(size));
    formats.push_back(binary);
  }

  std::vector<std::array<char, 8>> numbers;
  std::vector<Oid> types;
  std::vector<const char*> pointers;
  std::vector<int> lengths;
  std::vector<int> formats;
};

// The table has one row at most.
constexpr Statement claim_sql{
    "INSERT INTO commit_marker (one, owner, number) VALUES (1, gen_random_uuid()::text, 0)"
    " ON CONFLICT (one) DO UPDATE SET owner = excluded.owner RETURNING owner"};
constexpr Statement marker_sql{"SELECT number FROM commit_marker WHERE owner = $1"};

Code code_of(std::string_view sql_state, bool lost) {
  if (lost || sql_state.starts_with("57P") || sql_state.starts_with("08")) {
    return Code::storage_unavailable;
  }
  if (sql_state == "53100") return Code::storage_full;
  const bool can_pass = sql_state == "40001" || sql_state == "40P01" || sql_state == "57014" ||
                        sql_state == "55P03" || sql_state == "53300";
  return can_pass ? Code::storage_unavailable : Code::storage_failed;
}

/// libpq's own message repeats the URL, and with it the password.
Result<void> check_url(const std::string& url) {
  char* message = nullptr;
  PQconninfoOption* const options = PQconninfoParse(url.c_str(), &message);
  PQfreemem(message);
  if (options == nullptr) {
    return fail(
        Code::invalid_argument,
        "the URL of the database cannot be read; write postgresql://USER:PASSWORD@HOST/NAME,"
        " other characters than letters and digits as %XX");
  }
  PQconninfoFree(options);
  return {};
}

std::string one_line(std::string_view message) {
  std::string line(message);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace

void PostgresConnection::CloseConnection::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

void PostgresConnection::ClearResult::operator()(pg_result* result) const {
  PQclear(result);
}

PostgresConnection::PostgresConnection(std::string url, AfterConnect after_connect)
    : url_(std::move(url)), after_connect_(std::move(after_connect)) {}

PostgresConnection::~PostgresConnection() = default;

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(std::string url,
                                                                     AfterConnect after_connect) {
  TRY_VOID(check_url(url));
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(std::move(url), std::move(after_connect)));
  TRY_VOID(connection->connect());
  return connection;
}

Result<void> PostgresConnection::claim() {
  TRY_VOID(
      SqlConnection::execute(claim_sql, {}, [this](const SqlRow& row) { owner_ = row.text(0); }));
  return {};
}

Result<void> PostgresConnection::connect() {
  // What the URL says comes after these, and wins. A server that vanishes is noticed soon.
  const std::array<const char*, 7> names = {"connect_timeout",
                                            "keepalives_idle",
                                            "keepalives_interval",
                                            "keepalives_count",
                                            "tcp_user_timeout",
                                            "dbname",
                                            nullptr};
  const std::array<const char*, 7> values = {"5", "10", "5", "3", "20000", url_.c_str(), nullptr};
  connection_.reset(PQconnectdbParams(names.data(), values.data(), 1));
  prepared_.clear();
  in_transaction_ = false;
  if (place_.empty() && PQhost(connection_.get()) != nullptr) {
    place_ = fmt::format("{} on {}:{}", PQdb(connection_.get()), PQhost(connection_.get()),
                         PQport(connection_.get()));
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) return error(nullptr);
  auto accepted = after_connect_(*this);
  if (!accepted) connection_.reset();
  return accepted;
}

bool PostgresConnection::is_lost() const {
  return PQstatus(connection_.get()) != CONNECTION_OK;
}

Result<void> PostgresConnection::ensure_connected() {
  if (!is_lost()) return {};
  return connect();
}

std::unexpected<Error> PostgresConnection::error(const pg_result* result) const {
  const char* const state =
      result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const Code code = code_of(state == nullptr ? "" : state, is_lost());
  const std::string message = one_line(result == nullptr ? PQerrorMessage(connection_.get())
                                                         : PQresultErrorMessage(result));
  if (code == Code::storage_full) {
    return fail(code, "no room for the database {}: free space on its server; nothing was stored",
                place_);
  }
  return fail(code, "database {}: {}", place_, message);
}

Result<PostgresConnection::ResultSet> PostgresConnection::checked(pg_result* result) {
  ResultSet set(result);
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return set;
  return error(result);
}

Result<void> PostgresConnection::run_text(const char* sql) {
  TRY_VOID(checked(PQexec(connection_.get(), sql)));
  return {};
}

/// Values of other types make another prepared statement: what a NULL is, only its place says.
Result<std::string> PostgresConnection::prepared(const Statement& statement,
                                                 const std::vector<unsigned>& types) {
  std::string key(statement.sql);
  for (const unsigned type : types) key += fmt::format(" {}", type);
  const auto found = prepared_.find(key);
  if (found != prepared_.end()) return found->second;
  const std::string name = fmt::format("s{}", prepared_.size());
  TRY_VOID(checked(PQprepare(connection_.get(), name.c_str(), std::string(statement.sql).c_str(),
                             static_cast<int>(types.size()), types.data())));
  prepared_.emplace(std::move(key), name);
  return name;
}

Result<PostgresConnection::ResultSet> PostgresConnection::run(const Statement& statement,
                                                              std::span<const SqlValue> values) {
  const Parameters parameters(values);
  TRY(const std::string name, prepared(statement, parameters.types));
  return checked(PQexecPrepared(
      connection_.get(), name.c_str(), static_cast<int>(parameters.pointers.size()),
      parameters.pointers.data(), parameters.lengths.data(), parameters.formats.data(), binary));
}

Result<std::int64_t> PostgresConnection::execute(const Statement& statement,
                                                 std::span<const SqlValue> values,
                                                 const RowCallback& row) {
  if (!in_transaction_) TRY_VOID(ensure_connected());
  auto result = run(statement, values);
  const bool only_reads = statement.sql.starts_with("SELECT");
  if (!result && !in_transaction_ && is_lost() && only_reads) {
    TRY_VOID(connect());
    result = run(statement, values);
  }
  if (!result) return std::unexpected(std::move(result).error());
  const int rows = PQntuples(result->get());
  for (int i = 0; i < rows; ++i) row(PostgresRow(result->get(), i));
  return std::strtoll(PQcmdTuples(result->get()), nullptr, 10);
}

Result<void> PostgresConnection::execute_once(const std::string& sql) {
  if (!in_transaction_) TRY_VOID(ensure_connected());
  return run_text(sql.c_str());
}

Result<void> PostgresConnection::begin() {
  TRY_VOID(ensure_connected());
  commit_sent_ = false;
  if (owner_.empty()) {
    TRY_VOID(run_text("BEGIN"));
    in_transaction_ = true;
    return {};
  }
  const std::string sql = fmt::format(
      "BEGIN; UPDATE commit_marker SET number = number + 1 WHERE owner = '{}'"
      " RETURNING number",
      owner_);
  TRY(const auto marked, checked(PQexec(connection_.get(), sql.c_str())));
  in_transaction_ = true;
  if (PQntuples(marked.get()) == 0) {
    rollback();
    return taken_over();
  }
  commit_number_ = std::strtoll(PQgetvalue(marked.get(), 0, 0), nullptr, 10);
  return {};
}

Result<void> PostgresConnection::commit() {
  commit_sent_ = true;
  const auto done = checked(PQexec(connection_.get(), "COMMIT"));
  if (done || !is_lost()) commit_sent_ = false;
  if (!done) return std::unexpected(done.error());
  in_transaction_ = false;
  // What had failed before is rolled back instead, which is no error to the server.
  if (std::string_view(PQcmdStatus(done->get())) == "COMMIT") return {};
  return fail(Code::storage_failed, "database {}: a part of the transaction had failed", place_);
}

void PostgresConnection::rollback() {
  if (!in_transaction_) return;
  in_transaction_ = false;
  if (is_lost()) return;
  const auto ignored = run_text("ROLLBACK");
  static_cast<void>(ignored);
}

Result<bool> PostgresConnection::was_committed() {
  if (!commit_sent_) return false;
  TRY_VOID(ensure_connected());
  std::optional<std::int64_t> number;
  TRY_VOID(SqlConnection::execute(marker_sql, {std::string_view(owner_)},
                                  [&number](const SqlRow& row) { number = row.integer(0); }));
  if (!number) return taken_over();
  commit_sent_ = false;
  return *number >= commit_number_;
}

std::unexpected<Error> PostgresConnection::taken_over() const {
  return fail(Code::storage_locked,
              "another postrider has taken over database {}; what this one knows is old: stop it",
              place_);
}

}  // namespace postrider
