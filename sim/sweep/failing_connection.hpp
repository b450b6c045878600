#pragma once

#include <memory>

#include "postrider/store/testing/forwarding_connection.hpp"
#include "sim/sweep/fault.hpp"
#include "sim/world/timeline.hpp"

namespace postrider::sim {

/// A connection to a database of which one call fails. When that ends its process, everything
/// after it fails too.
class FailingConnection final : public ForwardingConnection {
 public:
  struct World {
    const Timeline& timeline;
    CallCounter& counter;
    std::optional<Fault>& ended;  ///< how its process has ended
  };

  FailingConnection(std::unique_ptr<SqlConnection> inner, World world)
      : ForwardingConnection(*inner), inner_(std::move(inner)), world_(world) {}

  using ForwardingConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override;
  Result<void> execute_once(const std::string& sql) override;
  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override;
  [[nodiscard]] bool is_in_doubt() const override { return in_doubt_; }
  Result<void> create_sequence(const std::string& name, std::int64_t step) override;
  Result<std::vector<std::int64_t>> draw(const std::string& name, std::int64_t count) override;
  Result<std::int64_t> last_drawn(const std::string& name) override;
  Result<void> raise_sequence(const std::string& name, std::int64_t number) override;

 private:
  Result<void> reach(Port port, std::string_view what);
  void undo();
  void go_away();

  std::unique_ptr<SqlConnection> inner_;
  World world_;
  MonoTime away_until_{};
  MonoTime full_until_{};
  bool in_transaction_ = false;
  bool in_doubt_ = false;
};

}  // namespace postrider::sim
