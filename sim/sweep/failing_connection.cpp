#include "sim/sweep/failing_connection.hpp"

#include <utility>

#include "postrider/base/log.hpp"

namespace postrider::sim {
namespace {

constexpr Duration absence = std::chrono::seconds{1};
constexpr Duration want_of_space = std::chrono::seconds{3};

std::unexpected<Error> away() {
  return fail(Code::storage_unavailable, "the database is away");
}

std::unexpected<Error> full() {
  return fail(Code::storage_full, "the disk is full");
}

}  // namespace

/// Fails when the call does, without an effect.
Result<void> FailingConnection::reach(Port port, std::string_view what) {
  if (world_.ended) return fail(Code::storage_failed, "the process has ended");
  if (world_.timeline.now() < away_until_) return away();
  if (world_.timeline.now() < full_until_) {
    undo();
    return full();
  }
  const auto fault = world_.counter.next(port);
  if (!fault) return {};
  log_info("{} falls on: {}", name_of(*fault), what);
  switch (*fault) {
    case Fault::io_error:
      undo();
      return fail(Code::storage_failed, "disk I/O error");
    case Fault::disk_full:
      full_until_ = world_.timeline.now() + want_of_space;
      undo();
      return full();
    case Fault::killed:
    case Fault::power_lost:
      world_.ended = fault;
      return fail(Code::storage_failed, "the process has ended");
    case Fault::answer_lost:
      if (inner_->commit()) {
        in_transaction_ = false;
        in_doubt_ = true;
      }
      break;
    case Fault::commit_lost:
      in_doubt_ = true;
      break;
    default:
      break;
  }
  undo();
  go_away();
  return away();
}

/// What is not committed is gone before the caller knows of it.
void FailingConnection::undo() {
  if (std::exchange(in_transaction_, false)) inner_->rollback();
}

void FailingConnection::go_away() {
  away_until_ = world_.timeline.now() + absence;
}

Result<std::int64_t> FailingConnection::execute(const Statement& statement,
                                                std::span<const SqlValue> values,
                                                const RowCallback& row) {
  TRY_VOID(reach(Port::statement, statement.sql));
  return inner_->execute(statement, values, row);
}

Result<void> FailingConnection::execute_once(const std::string& sql) {
  TRY_VOID(reach(Port::statement, sql));
  return inner_->execute_once(sql);
}

Result<void> FailingConnection::begin() {
  in_doubt_ = false;
  TRY_VOID(reach(Port::statement, "begin"));
  TRY_VOID(inner_->begin());
  in_transaction_ = true;
  return {};
}

Result<void> FailingConnection::commit() {
  TRY_VOID(reach(Port::commit, "commit"));
  TRY_VOID(inner_->commit());
  in_transaction_ = false;
  return {};
}

void FailingConnection::rollback() {
  undo();
}

Result<void> FailingConnection::create_sequence(const std::string& name, std::int64_t step) {
  TRY_VOID(reach(Port::statement, name));
  return inner_->create_sequence(name, step);
}

Result<std::vector<std::int64_t>> FailingConnection::draw(const std::string& name,
                                                          std::int64_t count) {
  TRY_VOID(reach(Port::statement, name));
  return inner_->draw(name, count);
}

Result<std::int64_t> FailingConnection::last_drawn(const std::string& name) {
  TRY_VOID(reach(Port::statement, name));
  return inner_->last_drawn(name);
}

Result<void> FailingConnection::raise_sequence(const std::string& name, std::int64_t number) {
  TRY_VOID(reach(Port::statement, name));
  return inner_->raise_sequence(name, number);
}

}  // namespace postrider::sim
