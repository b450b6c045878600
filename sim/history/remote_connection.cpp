#include "sim/history/remote_connection.hpp"

namespace postrider::sim {
namespace {

std::unexpected<Error> away() {
  return fail(Code::storage_unavailable, "the database is away");
}

}  // namespace

/// Fails while the server is away, or when it goes just now.
Result<void> RemoteConnection::reach() {
  if (lost_in_transaction_ || timeline_.now() < away_until_) return away();
  if (!random_.chance(faults_.lost)) return {};
  lose();
  return away();
}

/// The server undoes what was not committed.
void RemoteConnection::lose() {
  away_until_ =
      timeline_.now() + random_.heavy_tail(faults_.typical_absence, faults_.longest_absence);
  if (!in_transaction_) return;
  lost_in_transaction_ = true;
  inner_->rollback();
}

Result<std::int64_t> RemoteConnection::execute(const Statement& statement,
                                               std::span<const SqlValue> values,
                                               const RowCallback& row) {
  TRY_VOID(reach());
  return inner_->execute(statement, values, row);
}

Result<void> RemoteConnection::execute_once(const std::string& sql) {
  TRY_VOID(reach());
  return inner_->execute_once(sql);
}

Result<void> RemoteConnection::begin() {
  in_doubt_ = false;
  TRY_VOID(reach());
  TRY_VOID(inner_->begin());
  in_transaction_ = true;
  return {};
}

Result<void> RemoteConnection::commit() {
  TRY_VOID(reach());
  TRY_VOID(inner_->commit());
  in_transaction_ = false;
  if (!random_.chance(faults_.answers_lost)) return {};
  in_doubt_ = true;
  lose();
  return away();
}

void RemoteConnection::rollback() {
  if (in_transaction_ && !lost_in_transaction_) inner_->rollback();
  in_transaction_ = false;
  lost_in_transaction_ = false;
}

Result<std::vector<std::int64_t>> RemoteConnection::draw(const std::string& name,
                                                         std::int64_t count) {
  TRY_VOID(reach());
  return inner_->draw(name, count);
}

}  // namespace postrider::sim
