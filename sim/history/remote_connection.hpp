#pragma once

#include <memory>

#include "postrider/store/testing/forwarding_connection.hpp"
#include "sim/history/plan.hpp"
#include "sim/world/timeline.hpp"

namespace postrider::sim {

/// Makes a connection one to a server that may go away: at any statement, and while it is asked to
/// commit, before that has happened or after.
class RemoteConnection final : public ForwardingConnection {
 public:
  RemoteConnection(std::unique_ptr<SqlConnection> inner, const Timeline& timeline,
                   const RemoteFaults& faults, Random random)
      : ForwardingConnection(*inner),
        inner_(std::move(inner)),
        timeline_(timeline),
        faults_(faults),
        random_(random) {}

  using ForwardingConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override;
  Result<void> execute_once(const std::string& sql) override;
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override;
  [[nodiscard]] bool is_in_doubt() const override { return in_doubt_; }
  Result<std::vector<std::int64_t>> draw(const std::string& name, std::int64_t count) override;

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
  bool in_doubt_ = false;
};

}  // namespace postrider::sim
