#include "postrider/delivery/stored_delivery.hpp"

#include <algorithm>

#include "postrider/base/log.hpp"
#include "postrider/sort/positions.hpp"

namespace postrider {
namespace {

/// How many of its facts do not wait any more. None of a damaged one, which is an error when it is
/// delivered: it must not keep the other services from starting.
std::int64_t acknowledged_in(const BegunInboxBlock& begun) {
  const InboxBlock& block = begun.block;
  const auto positions = positions_in(block);
  if (!positions) {
    log_error("service {}: its inbox block {} to {} of stream {}: {}", begun.service, block.first,
              block.last, begun.stream, positions.error().detail);
    return 0;
  }
  return std::ranges::upper_bound(*positions, begun.acknowledged) - positions->begin();
}

class Restorer {
 public:
  explicit Restorer(const StoredDelivery& stored) {
    for (const StoredCursor& each : stored.cursors) {
      at(each.service, each.stream).cursor = each.cursor;
    }
    for (const InboxEnd& end : stored.inbox_ends) {
      at(end.service, end.stream);
      add(end.service, end.stream, end.fact_count, end.oldest_appended_at);
    }
  }

  Result<void> add_tail(StreamKey stream, const DecisionTail& tail) {
    for (const DecisionTail::Row& row : tail.rows()) {
      TRY(const auto groups, unpack_decisions(row->after, row->through, row->data));
      for (const DecisionGroup& group : groups) add_group(stream, group, row->appended_at);
    }
    return {};
  }

  std::unordered_map<ServiceKey, Service::Streams> finish() && {
    for (auto& [service, streams] : streams_) {
      for (auto& [stream, delivery] : streams) {
        const Waiting& waiting = waiting_[service][stream];
        delivery.inbox =
            Inbox(delivery.cursor.acknowledged, waiting.facts, waiting.oldest_appended_at);
      }
    }
    return std::move(streams_);
  }

 private:
  struct Waiting {
    std::int64_t facts = 0;
    std::optional<WallTime> oldest_appended_at;
  };

  StreamDelivery& at(ServiceKey service, StreamKey stream) { return streams_[service][stream]; }

  void add(ServiceKey service, StreamKey stream, std::int64_t facts, WallTime appended_at) {
    if (facts == 0) return;
    Waiting& waiting = waiting_[service][stream];
    waiting.facts += facts;
    waiting.oldest_appended_at =
        std::min(waiting.oldest_appended_at.value_or(appended_at), appended_at);
  }

  void add_group(StreamKey stream, const DecisionGroup& group, WallTime appended_at) {
    for (const ServiceKey service : group.services) {
      const StreamId acknowledged = at(service, stream).cursor.acknowledged;
      const auto next = std::ranges::upper_bound(group.positions, acknowledged);
      add(service, stream, group.positions.end() - next, appended_at);
    }
  }

  std::unordered_map<ServiceKey, Service::Streams> streams_;
  std::unordered_map<ServiceKey, std::map<StreamKey, Waiting>> waiting_;
};

}  // namespace

Result<StoredDelivery> read_stored_delivery(SqlConnection& connection) {
  StoredDelivery stored;
  TRY(stored.services, read_services(connection));
  TRY(stored.cursors, read_cursors(connection));
  TRY(stored.inbox_ends, read_inbox_ends(connection));
  TRY(const auto begun, read_begun_inbox_blocks(connection));
  std::map<std::pair<ServiceKey, StreamKey>, std::int64_t> acknowledged;
  for (const BegunInboxBlock& each : begun) {
    acknowledged[{each.service, each.stream}] = acknowledged_in(each);
  }
  for (InboxEnd& end : stored.inbox_ends) {
    const auto found = acknowledged.find({end.service, end.stream});
    if (found != acknowledged.end()) end.fact_count -= found->second;
  }
  return stored;
}

Result<void> parse_receivers(StoredDelivery& stored, const ReceiverKinds& kinds) {
  stored.receivers.reserve(stored.services.size());
  for (const StoredService& each : stored.services) {
    TRY(auto receiver, kinds.parse_stored(each.row.id, each.row.kind, each.row.document));
    stored.receivers.push_back(std::move(receiver));
  }
  return {};
}

Result<std::unordered_map<ServiceKey, Service::Streams>> restore_streams(
    const StoredDelivery& stored, const DecisionTails& tails) {
  Restorer restorer(stored);
  for (const auto& [stream, tail] : tails.all()) TRY_VOID(restorer.add_tail(stream, *tail));
  return std::move(restorer).finish();
}

}  // namespace postrider
