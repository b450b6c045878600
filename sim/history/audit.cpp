#include "sim/history/audit.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "postrider/sort/decisions.hpp"
#include "postrider/sort/positions.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/store/cursors.hpp"
#include "postrider/store/decisions.hpp"
#include "postrider/store/inbox.hpp"
#include "postrider/store/quarantine.hpp"
#include "postrider/stream/block.hpp"
#include "sim/history/documents.hpp"

namespace postrider::sim {
namespace {

constexpr std::int64_t everything = 1'000'000'000'000;
// Times on the disk are in milliseconds.
constexpr Duration clock_grain = std::chrono::milliseconds{2};
constexpr Statement integrity_sql{"PRAGMA integrity_check"};
constexpr Statement keys_sql{"SELECT count(*) FROM idempotency_keys"};

class Auditor {
 public:
  Auditor(Context& context, SqlConnection& connection)
      : context_(context), connection_(connection) {}

  Result<void> run() {
    TRY_VOID(check_integrity());
    TRY(const auto streams, read_streams(connection_));
    for (const StreamRow& stream : streams) TRY_VOID(check_stream(stream));
    TRY(auto decisions, read_decisions(connection_));
    for (StoredDecisions& each : decisions) decisions_[each.stream] = std::move(each);
    TRY(const auto cursors, read_cursors(connection_));
    for (const StoredCursor& each : cursors) cursors_[{each.service, each.stream}] = each.cursor;
    TRY(const auto services, read_services(connection_));
    settle_services(services);
    for (const StoredService& service : services) TRY_VOID(check_service(service));
    return {};
  }

 private:
  void broken(std::string detail) { context_.referee.broken(Check::audit, std::move(detail)); }

  Result<void> check_integrity() {
    std::string report;
    TRY_VOID(connection_.execute(integrity_sql, {},
                                 [&report](const SqlRow& row) { report += row.text(0); }));
    if (report != "ok") broken(report);
    return {};
  }

  Result<void> check_stream(const StreamRow& stream) {
    TRY(const auto blocks, read_blocks(connection_, stream.key, StreamId{}, everything));
    std::map<std::int64_t, std::string> payloads;
    StreamId last = stream.dropped_through;
    for (const Block& block : blocks) {
      if (block.first <= last || block.fact_count != block.last.value - block.first.value + 1) {
        broken(fmt::format("block {} to {} of {} facts follows {}", block.first, block.last,
                           block.fact_count, last));
      }
      last = block.last;
      const auto unpacked = unpack_block(block);
      if (!unpacked && recall(stream.name, block, payloads)) continue;
      TRY(const auto chunks, unpacked);
      for (const Chunk& chunk : chunks) {
        for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
          payloads.emplace(id.value, chunk.payload(id));
        }
      }
    }
    check_retention(stream);
    TRY_VOID(check_forgotten(stream, blocks));
    TRY_VOID(check_quarantine(stream));
    if (stream.sorted_through > last && !context_.ids_have_gaps()) {
      broken(fmt::format("{} is sorted through {} and ends at {}", stream.name,
                         stream.sorted_through, last));
    }
    context_.ledger.seen_all(stream.name, stream.dropped_through, StreamId{everything}, payloads);
    std::set<std::int64_t>& ids = ids_[stream.key];
    for (const auto& [id, payload] : payloads) ids.insert(id);
    ends_[stream.name] = last;
    return {};
  }

  /// The facts of a block that was altered, as they were. False when nobody has altered it.
  bool recall(const std::string& stream, const Block& block,
              std::map<std::int64_t, std::string>& payloads) const {
    for (StreamId id = block.first; id <= block.last; id = id.plus(1)) {
      const Damage::Fact* fact = context_.ledger.damage().find(stream, id);
      if (fact == nullptr) return false;
      payloads.emplace(id.value, fact->payload);
    }
    return true;
  }

  /// What is passed by was altered on the disk.
  Result<void> check_quarantine(const StreamRow& stream) {
    TRY(const auto rows, read_quarantined(connection_, everything));
    std::vector<IdRange> ranges;
    for (const QuarantineRow& row : rows) {
      if (row.stream != stream.key) continue;
      ranges.push_back(row.ids);
      for (StreamId id = row.ids.first; id <= row.ids.last; id = id.plus(1)) {
        if (context_.ledger.damage().find(stream.name, id) != nullptr) continue;
        broken(fmt::format("{} {} is in quarantine, and nobody has altered it", stream.name, id));
      }
    }
    context_.ledger.damage().set_quarantine(stream.name, std::move(ranges), stream.dropped_through);
    return {};
  }

  /// Nothing is dropped before its time, as far as the clock can be trusted.
  void check_retention(const StreamRow& stream) {
    if (context_.plan.mean_clock_jump_pause > Duration{}) return;
    const auto& positions = context_.ledger.positions(stream.name);
    const auto dropped = positions.find(stream.dropped_through.value);
    if (dropped == positions.end()) return;
    const Duration age = context_.timeline.now() - context_.ledger.fact(dropped->second).sent_at;
    if (age + clock_grain >= context_.plan.engine.streams.declared.at(stream.name).retain) return;
    broken(fmt::format("{} {} was dropped when it was {} s old", stream.name,
                       stream.dropped_through, seconds(age)));
  }

  /// At rest, nothing is kept past its time that nobody needs.
  Result<void> check_forgotten(const StreamRow& stream, const std::vector<Block>& blocks) {
    if (!context_.past_retention) return {};
    std::int64_t keys = 0;
    TRY_VOID(
        connection_.execute(keys_sql, {}, [&keys](const SqlRow& row) { keys = row.integer(0); }));
    if (keys > 0) left_over(fmt::format("{} idempotency keys", keys));
    TRY(const auto needed, oldest_needed(connection_, stream.key));
    for (const Block& block : blocks) {
      const bool is_needed = needed && block.last >= *needed;
      if (is_needed || block.last > stream.sorted_through) continue;
      left_over(fmt::format("facts {} to {} of {}", block.first, block.last, stream.name));
    }
    return {};
  }
  void left_over(const std::string& what) {
    context_.referee.broken(Check::idle, what + " are kept, past their time and needed by nobody");
  }

  void settle_services(const std::vector<StoredService>& services) {
    std::map<std::string, Registrations::Stored> stored;
    for (const StoredService& service : services) {
      const auto known = read_stored(service.row);
      if (known) stored[service.row.id] = *known;
      if (!known) broken(fmt::format("{} is {}", service.row.id, service.row.document));
    }
    for (int i = 0; i <= context_.plan.workload.services; ++i) {
      const std::string id = fmt::format("svc{}", i);
      const auto found = stored.find(id);
      const auto row = found == stored.end() ? std::nullopt : std::optional(found->second);
      if (!context_.registrations.settle(id, row, ends_)) {
        broken(fmt::format("{} is {} on the disk, which nobody asked for", id,
                           row ? "another one" : "not"));
      }
    }
  }

  Result<void> check_service(const StoredService& service) {
    for (const auto& [stream, ids] : ids_) TRY_VOID(check_inbox(service, stream, ids));
    check_numbers(service);
    // What a file declares is no operator's to pause.
    if (service.row.source == ServiceSource::api) restore_pause(service);
    restore_backoff(service);
    return {};
  }

  /// Each number is of one transaction, and those that are frozen are of one stream.
  void check_numbers(const StoredService& service) {
    std::size_t frozen = 0;
    std::set<std::int64_t> numbers;
    for (const auto& [stream, ids] : ids_) {
      const DeliveryCursor& cursor = cursors_[{service.row.key, stream}];
      const std::int64_t number = cursor.transaction.value;
      if (!cursor.frozen.empty()) ++frozen;
      if (number > 0 && !numbers.insert(number).second) {
        broken(fmt::format("{} has transaction {} in two streams", service.row.id, number));
      }
    }
    if (frozen > 1) broken(fmt::format("{} is frozen in {} streams", service.row.id, frozen));
  }

  /// What the service is still to get of one stream: in blocks, and after those in decisions.
  Result<void> check_inbox(const StoredService& service, StreamKey stream,
                           const std::set<std::int64_t>& ids) {
    const ServiceKey key = service.row.key;
    const DeliveryCursor cursor = cursors_[{key, stream}];
    TRY(auto needed, read_needed_blocks(service, stream, cursor));
    for (const DecisionRow& row : decisions_[stream].rows) {
      TRY(const auto groups, unpack_decisions(row.after, row.through, row.data));
      for (const StreamId id : positions_of(key, groups)) needed.push_back(id);
    }
    std::erase_if(needed, [&](StreamId id) { return id <= cursor.acknowledged; });
    if (!std::ranges::is_sorted(needed, std::ranges::less_equal{})) {
      broken(fmt::format("{} is to get facts of stream {} twice, or out of order", service.row.id,
                         stream));
    }
    for (const StreamId id : needed) {
      if (!ids.contains(id.value)) {
        broken(fmt::format("{} needs fact {} and it is gone", service.row.id, id));
      }
    }
    for (const StreamId end : cursor.frozen) {
      if (std::ranges::find(needed, end) != needed.end()) continue;
      broken(fmt::format("{} is frozen through {} of stream {}, which it is not to get",
                         service.row.id, end, stream));
    }
    return {};
  }

  Result<std::vector<StreamId>> read_needed_blocks(const StoredService& service, StreamKey stream,
                                                   const DeliveryCursor& cursor) {
    std::vector<StreamId> needed;
    TRY(const auto blocks,
        read_inbox_blocks(connection_, service.row.key, stream, StreamId{}, everything));
    for (const InboxBlock& block : blocks) {
      TRY(const auto positions, positions_in(block));
      needed.insert(needed.end(), positions.begin(), positions.end());
      const bool is_folded = block.last <= decisions_[stream].compacted_through;
      if (positions.back() != block.last || !is_folded || block.last <= cursor.acknowledged) {
        broken(fmt::format("{} has an inbox block {} to {} of stream {}, acknowledged {}",
                           service.row.id, block.first, block.last, stream, cursor.acknowledged));
      }
    }
    return needed;
  }

  void restore_pause(const StoredService& service) {
    const std::string& prefix = service.row.transaction_prefix;
    const bool paused = service.delivery.status == DeliveryStatus::paused;
    if (context_.judge.record(prefix).paused && !paused) {
      context_.referee.broken(Check::paused,
                              fmt::format("{} was paused and is {} on the disk", service.row.id,
                                          name_of(service.delivery.status)));
    }
    context_.judge.set_paused(prefix, paused);
  }

  void restore_backoff(const StoredService& service) {
    const DeliveryState& delivery = service.delivery;
    if (delivery.status != DeliveryStatus::down || !delivery.next_attempt_at) return;
    const Duration longest =
        std::max(delivery.retry_interval, context_.plan.engine.services.delivery.backoff.max);
    const Duration wait = *delivery.next_attempt_at - context_.timeline.wall_now();
    context_.judge.restore_backoff(service.row.transaction_prefix, delivery.retry_interval,
                                   context_.timeline.now() + std::clamp(wait, Duration{}, longest));
  }

  Context& context_;
  SqlConnection& connection_;
  std::map<StreamKey, std::set<std::int64_t>> ids_;
  std::map<StreamKey, StoredDecisions> decisions_;
  std::map<std::pair<ServiceKey, StreamKey>, DeliveryCursor> cursors_;
  std::map<std::string, StreamId> ends_;
};

}  // namespace

Result<void> audit(Context& context, SqlConnection& connection) {
  // The judge sees clearly; it is not he who is tested.
  const DiskFaults faults = std::exchange(context.disk.faults, {});
  auto audited = Auditor(context, connection).run();
  context.disk.faults = faults;
  return audited;
}

void audit_disk(Context& context) {
  const auto database = SqliteDatabase::open(context.database());
  if (!database) return context.referee.broken(Check::audit, database.error().detail);
  const auto reader = (*database)->connect(SqliteDatabase::Access::read_only);
  if (!reader) return context.referee.broken(Check::audit, reader.error().detail);
  const auto audited = audit(context, **reader);
  if (!audited) context.referee.broken(Check::audit, audited.error().detail);
}

}  // namespace postrider::sim
