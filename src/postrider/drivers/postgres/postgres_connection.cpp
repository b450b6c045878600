#include "postrider/drivers/postgres/postgres_connection.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <libpq-fe.h>

#include "postrider/base/log.hpp"

namespace postrider {
namespace {

// Object IDs of PostgreSQL's own types, fixed in its catalogue.
constexpr Oid type_bytea = 17;
constexpr Oid type_int8 = 20;
constexpr Oid type_text = 25;
constexpr int binary = 1;
// What a transaction meets in which a row that must be there is not.
constexpr std::string_view division_by_zero = "22012";

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

constexpr Statement draw_sql{
    "SELECT nextval($1::text::regclass) FROM generate_series(1, $2::bigint)"};
constexpr Statement last_drawn_sql{
    "SELECT coalesce(last_value, 0) FROM pg_sequences"
    " WHERE schemaname = current_schema() AND sequencename = $1"};
constexpr Statement raise_sql{"SELECT setval($1::text::regclass, $2::bigint)"};

// The same for its side: what a client that is gone holds, it gives back soon.
constexpr const char* server_keepalives_sql =
    "SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;"
    " SET tcp_user_timeout = 10000";

std::string one_line(std::string_view message) {
  std::string line(message);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::ranges::replace(line, '\n', ' ');
  return line;
}

void log_notice(void*, const char* message) {
  log_info("database: {}", one_line(message));
}

/// Whether the server refuses what is to be written: a wrong value, a constraint, a limit.
bool is_refusal(std::string_view sql_state) {
  return sql_state.starts_with("22") || sql_state.starts_with("23") || sql_state.starts_with("54");
}

Code code_of(std::string_view sql_state, bool lost) {
  if (lost || sql_state.starts_with("57P") || sql_state.starts_with("08")) {
    return Code::storage_unavailable;
  }
  if (sql_state == "53100") return Code::storage_full;
  const bool can_pass = sql_state == "40001" || sql_state == "40P01" || sql_state == "57014" ||
                        sql_state == "55P03" || sql_state == "53300";
  if (can_pass) return Code::storage_unavailable;
  return is_refusal(sql_state) ? Code::storage_refused : Code::storage_failed;
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
  TRY_VOID(connection->connect_first());
  return connection;
}

PostgresConnection::ConnectParameters PostgresConnection::parameters() const {
  // What the URL says comes after these, and wins. A server that vanishes is noticed within 10 s.
  return {.names = {"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count",
                    "tcp_user_timeout", "client_encoding", "dbname", nullptr},
          .values = {"5", "4", "2", "3", "10000", "UTF8", url_.c_str(), nullptr}};
}

/// A server that is there and refuses will do so again.
Result<void> PostgresConnection::connect_first() {
  auto connected = connect();
  if (connected || connected.error().code != Code::storage_unavailable) return connected;
  const ConnectParameters given = parameters();
  if (PQpingParams(given.names.data(), given.values.data(), 1) != PQPING_OK) return connected;
  // It may have come back just now.
  connected = connect();
  if (connected || connected.error().code != Code::storage_unavailable) return connected;
  return fail(Code::storage_incompatible, "{}", connected.error().detail);
}

Result<void> PostgresConnection::connect() {
  const ConnectParameters given = parameters();
  connection_.reset(PQconnectdbParams(given.names.data(), given.values.data(), 1));
  prepared_.clear();
  prepared_in_pipeline_.clear();
  leave_transaction();
  if (place_.empty() && PQhost(connection_.get()) != nullptr) {
    place_ = fmt::format("{} on {}:{}", PQdb(connection_.get()), PQhost(connection_.get()),
                         PQport(connection_.get()));
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) return error(nullptr);
  PQsetNoticeProcessor(connection_.get(), log_notice, nullptr);
  is_connecting_ = true;
  auto accepted = run_text(server_keepalives_sql);
  if (accepted) accepted = after_connect_(*this);
  if (accepted && !idle_limit_sql_.empty()) accepted = run_text(idle_limit_sql_.c_str());
  is_connecting_ = false;
  if (!accepted) connection_.reset();
  return accepted;
}

bool PostgresConnection::is_lost() const {
  return PQstatus(connection_.get()) != CONNECTION_OK;
}

Result<void> PostgresConnection::ensure_connected() {
  if (!is_lost()) return {};
  if (is_connecting_) return error(nullptr);
  auto connected = connect();
  if (connected || connected.error().code != Code::storage_locked) return connected;
  // The server has not noticed yet that the connection before is lost.
  return fail(Code::storage_unavailable, "{}", connected.error().detail);
}

std::unexpected<Error> PostgresConnection::error(const pg_result* result) const {
  const char* const state =
      result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (required_ && state != nullptr && std::string_view(state) == division_by_zero) {
    return std::unexpected(*required_);
  }
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
/// Empty when there is none yet.
std::string& PostgresConnection::prepared_name(const Statement& statement,
                                               const std::vector<unsigned>& types) {
  std::string key(statement.sql);
  for (const unsigned type : types) key += fmt::format(" {}", type);
  std::string& name = prepared_[key];
  if (name.empty() && in_transaction_) prepared_in_pipeline_.push_back(std::move(key));
  return name;
}

/// Outside of transactions.
Result<PostgresConnection::ResultSet> PostgresConnection::run(const Statement& statement,
                                                              std::span<const SqlValue> values) {
  const Parameters parameters(values);
  std::string& name = prepared_name(statement, parameters.types);
  if (name.empty()) {
    const std::string next = fmt::format("s{}", ++prepared_count_);
    const std::string sql(statement.sql);
    TRY_VOID(
        checked(PQprepare(connection_.get(), next.c_str(), sql.c_str(),
                          static_cast<int>(parameters.types.size()), parameters.types.data())));
    name = next;
  }
  return checked(PQexecPrepared(
      connection_.get(), name.c_str(), static_cast<int>(parameters.pointers.size()),
      parameters.pointers.data(), parameters.lengths.data(), parameters.formats.data(), binary));
}

/// Puts it into the pipeline.
Result<void> PostgresConnection::send(const Statement& statement,
                                      std::span<const SqlValue> values) {
  const Parameters parameters(values);
  const auto count = static_cast<int>(parameters.types.size());
  std::string& name = prepared_name(statement, parameters.types);
  bool sent = true;
  if (name.empty()) {
    name = fmt::format("s{}", ++prepared_count_);
    const std::string sql(statement.sql);
    sent = PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(), count,
                         parameters.types.data()) == 1;
  }
  sent = sent &&
         PQsendQueryPrepared(connection_.get(), name.c_str(), count, parameters.pointers.data(),
                             parameters.lengths.data(), parameters.formats.data(), binary) == 1;
  if (!sent) return error(nullptr);
  return {};
}

Result<void> PostgresConnection::send_text(const char* sql) {
  const int sent =
      PQsendQueryParams(connection_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, binary);
  if (sent != 1) return error(nullptr);
  return {};
}

/// Waits for all that is in the pipeline. Gives the last result, or the first error.
Result<PostgresConnection::ResultSet> PostgresConnection::collect() {
  if (PQpipelineSync(connection_.get()) != 1) return error(nullptr);
  Result<ResultSet> outcome = ResultSet();
  bool after_end = false;  // of one statement's results
  while (true) {
    ResultSet result(PQgetResult(connection_.get()));
    if (!result && (after_end || is_lost())) return error(nullptr);
    after_end = !result;
    if (!result) continue;
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) break;
    if (!outcome) continue;
    outcome = checked(result.release());
  }
  if (!outcome) {
    for (const std::string& key : prepared_in_pipeline_) prepared_.erase(key);
  }
  prepared_in_pipeline_.clear();
  return outcome;
}

/// The server itself must refuse what follows in the pipeline, and it does after an error.
Result<void> PostgresConnection::require(const Statement& statement,
                                         std::span<const SqlValue> values, const Error& otherwise) {
  required_ = otherwise;
  const std::string sql = fmt::format(
      "WITH changed AS ({} RETURNING 1) SELECT 1 / count(*) FROM changed", statement.sql);
  return send({sql}, values);
}

Result<void> PostgresConnection::enqueue(const Statement& statement,
                                         std::span<const SqlValue> values) {
  if (in_transaction_) return send(statement, values);
  const auto ignore = [](const SqlRow&) {};
  TRY_VOID(execute(statement, values, ignore));
  return {};
}

Result<std::int64_t> PostgresConnection::execute(const Statement& statement,
                                                 std::span<const SqlValue> values,
                                                 const RowCallback& row) {
  Result<ResultSet> result = ResultSet();
  if (in_transaction_) {
    TRY_VOID(send(statement, values));
    result = collect();
  } else {
    TRY_VOID(ensure_connected());
    result = run(statement, values);
    const bool only_reads = statement.sql.starts_with("SELECT");
    if (!result && is_lost() && only_reads) {
      TRY_VOID(ensure_connected());
      result = run(statement, values);
    }
  }
  if (!result) return std::unexpected(std::move(result).error());
  const int rows = PQntuples(result->get());
  for (int i = 0; i < rows; ++i) row(PostgresRow(result->get(), i));
  return std::strtoll(PQcmdTuples(result->get()), nullptr, 10);
}

Result<void> PostgresConnection::execute_once(const std::string& sql) {
  if (!in_transaction_) {
    TRY_VOID(ensure_connected());
    return run_text(sql.c_str());
  }
  TRY_VOID(collect());
  PQexitPipelineMode(connection_.get());
  auto done = run_text(sql.c_str());
  PQenterPipelineMode(connection_.get());
  return done;
}

Result<void> PostgresConnection::begin() {
  TRY_VOID(ensure_connected());
  in_doubt_ = false;
  PQenterPipelineMode(connection_.get());
  in_transaction_ = true;
  auto sent = send_text("BEGIN");
  if (!sent) rollback();
  return sent;
}

Result<void> PostgresConnection::commit() {
  TRY_VOID(send_text("COMMIT"));
  const auto done = collect();
  in_doubt_ = !done && is_lost();
  if (!done) return std::unexpected(done.error());
  PQexitPipelineMode(connection_.get());
  leave_transaction();
  // What had failed before is rolled back instead, which is no error to the server.
  if (std::string_view(PQcmdStatus(done->get())) == "COMMIT") return {};
  return fail(Code::storage_failed, "database {}: a part of the transaction had failed", place_);
}

void PostgresConnection::rollback() {
  if (!in_transaction_) return;
  if (!is_lost()) {
    const auto ended = collect();
    PQexitPipelineMode(connection_.get());
    const auto undone = run_text("ROLLBACK");
    // Whatever state it is in now, nobody can rely on.
    if (!undone) connection_.reset();
  }
  leave_transaction();
}

void PostgresConnection::leave_transaction() {
  in_transaction_ = false;
  required_.reset();
}

Result<void> PostgresConnection::end_idle_transactions_after(Duration time) {
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(time);
  idle_limit_sql_ = fmt::format("SET idle_in_transaction_session_timeout = {}", limit.count());
  return execute_once(idle_limit_sql_);
}

Result<void> PostgresConnection::create_sequence(const std::string& name, std::int64_t step) {
  return execute_once(
      fmt::format("CREATE SEQUENCE IF NOT EXISTS {} INCREMENT BY {} MINVALUE 0 START WITH {}", name,
                  step, step));
}

Result<std::vector<std::int64_t>> PostgresConnection::draw(const std::string& name,
                                                           std::int64_t count) {
  std::vector<std::int64_t> numbers;
  TRY_VOID(
      SqlConnection::execute(draw_sql, {std::string_view(name), count},
                             [&numbers](const SqlRow& row) { numbers.push_back(row.integer(0)); }));
  return numbers;
}

Result<std::int64_t> PostgresConnection::last_drawn(const std::string& name) {
  std::int64_t number = 0;
  TRY_VOID(SqlConnection::execute(last_drawn_sql, {std::string_view(name)},
                                  [&number](const SqlRow& row) { number = row.integer(0); }));
  return number;
}

Result<void> PostgresConnection::raise_sequence(const std::string& name, std::int64_t number) {
  TRY_VOID(SqlConnection::execute(raise_sql, {std::string_view(name), number}));
  return {};
}

}  // namespace postrider
