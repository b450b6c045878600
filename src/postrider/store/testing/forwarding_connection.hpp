#pragma once

#include "postrider/store/sql.hpp"

namespace postrider {

/// Passes everything on, for those that watch or disturb some of it.
class ForwardingConnection : public SqlConnection {
 public:
  explicit ForwardingConnection(SqlConnection& inner) : inner_(inner) {}

  using SqlConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override {
    return inner_.execute(statement, values, row);
  }
  Result<void> execute_once(const std::string& sql) override { return inner_.execute_once(sql); }
  Result<void> begin() override { return inner_.begin(); }
  Result<void> commit() override { return inner_.commit(); }
  void rollback() override { inner_.rollback(); }
  [[nodiscard]] bool is_in_doubt() const override { return inner_.is_in_doubt(); }
  Result<void> end_idle_transactions_after(Duration time) override {
    return inner_.end_idle_transactions_after(time);
  }
  std::uint64_t take_pages_written() override { return inner_.take_pages_written(); }
  Result<void> create_sequence(const std::string& name, std::int64_t step) override {
    return inner_.create_sequence(name, step);
  }
  Result<std::vector<std::int64_t>> draw(const std::string& name, std::int64_t count) override {
    return inner_.draw(name, count);
  }
  Result<std::int64_t> last_drawn(const std::string& name) override {
    return inner_.last_drawn(name);
  }
  Result<void> raise_sequence(const std::string& name, std::int64_t number) override {
    return inner_.raise_sequence(name, number);
  }

 private:
  SqlConnection& inner_;
};

}  // namespace postrider
