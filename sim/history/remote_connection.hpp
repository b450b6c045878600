#pragma once

#include <memory>

#include "postrider/store/sql.hpp"
#include "sim/history/plan.hpp"
#include "sim/world/timeline.hpp"

namespace postrider::sim {

/// Makes a connection one to a server that may go away: at any statement, and while it is asked to
/// commit, before that has happened or after.
class RemoteConnection final : public SqlConnection {
 public:
  RemoteConnection(std::unique_ptr<SqlConnection> inner, const Timeline& timeline,
                   const RemoteFaults& faults, Random random)
      : inner_(std::move(inner)), timeline_(timeline), faults_(faults), random_(random) {}

  using SqlConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override;
  Result<void> execute_once(const std::string& sql) override;
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override;
  Result<bool> was_committed() override;

 private:
  Result<void> reach();
  void lose();

  std::unique_ptr<SqlConnection> inner_;
  const Timeline& timeline_;
  const RemoteFaults& faults_;
  Random random_;
  MonoTime away_until_{};
  bool in_transaction_ = false;
  bool lost_in_transaction_ = false;
  bool committed_ = false;
};

}  // namespace postrider::sim
