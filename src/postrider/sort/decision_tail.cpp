#include "postrider/sort/decision_tail.hpp"

#include <algorithm>
#include <utility>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

std::size_t bytes_of(const DecisionRow& row) {
  return sizeof(DecisionRow) + row.data.size();
}

}  // namespace

Result<void> DecisionTail::load(StoredDecisions stored) {
  begin_ = stored.compacted_through;
  for (DecisionRow& row : stored.rows) {
    if (row.after < end() || row.through <= row.after) {
      return fail(Code::storage_failed,
                  "the decisions on facts {} to {} of stream {} do not follow those up to {}",
                  row.after.plus(1), row.through, stored.stream, end());
    }
    add(std::move(row));
  }
  return {};
}

void DecisionTail::add(DecisionRow row) {
  POSTRIDER_ASSERT(row.after >= end() && row.through > row.after, "decisions {} to {} after {}",
                   row.after, row.through, end());
  bytes_ += bytes_of(row);
  rows_.push_back(std::make_shared<const TailRow>(TailRow{std::move(row), runtime_.now()}));
  changed_.notify_all();
}

void DecisionTail::fold(StreamId through) {
  while (!rows_.empty() && rows_.front()->through <= through) {
    bytes_ -= bytes_of(*rows_.front());
    rows_.pop_front();
  }
  begin_ = through;
  changed_.notify_all();
}

std::vector<DecisionTail::Row> DecisionTail::oldest(std::int64_t cost_least,
                                                    const Kept& kept) const {
  std::vector<Row> oldest;
  std::int64_t cost_so_far = 0;
  std::size_t bytes_left = bytes_;
  for (const Row& row : rows_) {
    if (row->added_at > kept.added_after && bytes_left < kept.bytes) break;
    bytes_left -= bytes_of(*row);
    oldest.push_back(row);
    cost_so_far += cost({&row, 1});
    if (cost_so_far >= cost_least) break;
  }
  return oldest;
}

std::int64_t DecisionTail::cost(std::span<const Row> rows) {
  std::int64_t cost = 0;
  for (const Row& row : rows) cost += static_cast<std::int64_t>(bytes_of(*row)) + row->entries;
  return cost;
}

Result<bool> DecisionTail::visit(ServiceKey service, StreamId after, const Visit& visit) const {
  for (const Row& row : rows_) {
    if (row->through <= after) continue;
    TRY(std::vector<StreamId> positions,
        unpack_positions_of(service, row->after, row->through, row->data));
    positions.erase(positions.begin(), std::ranges::upper_bound(positions, after));
    if (!positions.empty() && !visit(std::move(positions), row->appended_at)) return false;
  }
  return true;
}

Result<void> DecisionTails::load(std::vector<StoredDecisions> stored) {
  for (StoredDecisions& each : stored) TRY_VOID(of(each.stream).load(std::move(each)));
  return {};
}

DecisionTail& DecisionTails::of(StreamKey stream) {
  auto& tail = tails_[stream];
  if (!tail) tail = std::make_unique<DecisionTail>(runtime_);
  return *tail;
}

}  // namespace postrider
