#include "sim/sweep/fake_outbox.hpp"

#include <charconv>
#include <vector>

namespace postrider::sim {
namespace {

constexpr std::string_view identity = "5f0c6e0e-0000-4000-8000-000000000001";

/// A row of integers and texts.
class FakeRow final : public SqlRow {
 public:
  explicit FakeRow(std::vector<SqlValue> values) : values_(std::move(values)) {}

  [[nodiscard]] bool is_null(int column) const override {
    return std::holds_alternative<std::nullptr_t>(values_.at(static_cast<std::size_t>(column)));
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    return std::get<std::int64_t>(values_.at(static_cast<std::size_t>(column)));
  }
  [[nodiscard]] std::string_view text(int column) const override {
    return std::get<std::string_view>(values_.at(static_cast<std::size_t>(column)));
  }
  [[nodiscard]] std::string_view blob(int column) const override { return text(column); }

 private:
  std::vector<SqlValue> values_;
};

/// Of a list as `{1,2,3}`.
std::vector<std::int64_t> ids_in(const SqlValue& list) {
  const std::string_view text = std::get<std::string_view>(list);
  std::vector<std::int64_t> ids;
  for (std::size_t at = 1; at < text.size(); at = text.find_first_of(",}", at) + 1) {
    std::from_chars(text.data() + at, text.data() + text.size(), ids.emplace_back());
  }
  return ids;
}

}  // namespace

Result<std::int64_t> FakeOutboxConnection::execute(const Statement& statement,
                                                   std::span<const SqlValue> values,
                                                   const RowCallback& row) {
  const std::string_view sql = statement.sql;
  if (sql.contains("to_regclass")) {
    row(FakeRow({std::int64_t{1}}));
  } else if (sql.starts_with("SELECT identity")) {
    row(FakeRow({identity}));
  } else if (sql.starts_with("SELECT id, stream")) {
    std::int64_t left = std::get<std::int64_t>(values[0]);
    for (const auto& [id, payload] : seen().rows) {
      if (left-- == 0) break;
      row(FakeRow({id, std::string_view("events"), std::string_view(payload),
                   static_cast<std::int64_t>(payload.size())}));
    }
  } else if (sql.starts_with("DELETE FROM postrider.outbox ")) {
    for (const std::int64_t id : ids_in(values[0])) seen().rows.erase(id);
  } else if (sql.contains("INTO postrider.outbox_refused")) {
    for (const std::int64_t id : ids_in(values[0])) {
      if (seen().rows.erase(id) == 0) continue;
      seen().refused.insert(id);
      ++seen().refusals;
    }
  } else if (!sql.ends_with("FOR UPDATE")) {
    return fail(Code::storage_refused, "no statement of a drain: {}", sql);
  }
  return 0;
}

Result<void> FakeOutboxConnection::begin() {
  changed_ = outbox_;
  is_open_ = true;
  return {};
}

Result<void> FakeOutboxConnection::commit() {
  outbox_ = changed_;
  is_open_ = false;
  return {};
}

Result<std::vector<std::int64_t>> FakeOutboxConnection::draw(const std::string&, std::int64_t) {
  return fail(Code::storage_refused, "an outbox has no sequences");
}

}  // namespace postrider::sim
