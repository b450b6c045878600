#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "postrider/store/sql.hpp"

namespace postrider::sim {

/// The outbox in an application's database, as far as a drain sees it.
struct FakeOutbox {
  std::map<std::int64_t, std::string> rows;  ///< payloads by ID, all for the stream `events`
  std::set<std::int64_t> refused;
  std::int64_t refusals = 0;
};

/// One connection to it: what a transaction has changed is seen when that is committed.
class FakeOutboxConnection final : public SqlConnection {
 public:
  explicit FakeOutboxConnection(FakeOutbox& outbox) : outbox_(outbox) {}

  using SqlConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override;
  Result<void> execute_once(const std::string&) override { return {}; }
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override { is_open_ = false; }
  Result<void> create_sequence(const std::string&, std::int64_t) override { return {}; }
  Result<std::vector<std::int64_t>> draw(const std::string&, std::int64_t) override;
  Result<std::int64_t> last_drawn(const std::string&) override { return 0; }
  Result<void> raise_sequence(const std::string&, std::int64_t) override { return {}; }

 private:
  FakeOutbox& seen() { return is_open_ ? changed_ : outbox_; }

  FakeOutbox& outbox_;
  FakeOutbox changed_;
  bool is_open_ = false;
};

}  // namespace postrider::sim
