#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postrider/delivery/service_registry.hpp"
#include "postrider/delivery/testing/plain_receiver.hpp"
#include "postrider/sort/positions.hpp"
#include "postrider/stream/testing/stream_world.hpp"
#include "sim/scripted_receiver.hpp"

namespace postrider {

/// Delivery from a stream to scripted receivers over a real database file, in virtual time. The
/// test stands in for the sorter.
class DeliveryWorld : public StreamWorld {
 protected:
  DeliveryWorld() { restart(); }
  ~DeliveryWorld() override { run(controller->gate().drained()); }

  /// A new controller and registry with what the database holds.
  void restart() {
    if (controller) {
      controller->request_stop();
      run(controller->gate().drained());
    }
    controller = std::make_unique<TransactionController>(
        runtime, *committer, Reader{lane, *reader}, receiver, *streams,
        DeliveryMetrics{delivered, failed, facts_delivered, delivery_seconds});
    registry = std::make_unique<ServiceRegistry>(
        runtime, *committer, *controller,
        ServiceRegistry::Settings{.services_max = services_max, .delivery = settings});
    EXPECT_TRUE(
        registry->load(read_services(*reader).value(), read_inbox_ends(*reader).value(), kinds));
    registry->start_delivery();
  }

  static PlainDocument document_of(const std::string& id) {
    return {.id = id, .url = "http://" + id + ".test", .secret = "secret_" + id};
  }
  static std::shared_ptr<const Receiver> receiver_of(PlainDocument document) {
    return std::make_shared<const PlainReceiver>(std::move(document));
  }

  Result<ServiceRegistry::Put> put(PlainDocument document,
                                   ServiceSource source = ServiceSource::api) {
    return run(registry->put(receiver_of(std::move(document)), source));
  }
  std::shared_ptr<Service> put_service(const std::string& id) {
    EXPECT_TRUE(put(document_of(id)));
    return registry->find(id);
  }

  /// Appends facts `from`, `from` + 1, … and decides that all of them are for the service.
  void deliver(const std::string& id, int count, int from = 1) {
    const auto receipt = run(stream->append(facts(*stream, count, from), std::nullopt)).value();
    const auto service = registry->find(id);
    std::vector<StreamId> positions;
    for (StreamId at = receipt.first; at <= receipt.last; at = at.plus(1)) positions.push_back(at);
    const InboxSeq last = service->inbox.last_seq();
    const InboxBlock block{.first_seq = last.plus(1),
                           .last_seq = last.plus(count),
                           .stream = stream->key(),
                           .first_id = receipt.first,
                           .appended_at = runtime.wall_now(),
                           .positions = pack_positions(positions)};
    const ServiceKey key = service->row.key;
    EXPECT_TRUE(run(committer->commit(
        [&](SqlConnection& connection) { return insert_inbox_block(connection, key, block); })));
    registry->add_to_inbox(key, block);
  }

  /// What the database says of the service.
  DeliveryState stored_state(const std::string& id) {
    const auto services = read_services(*reader).value();
    for (const StoredService& service : services) {
      if (service.row.id == id) return service.delivery;
    }
    ADD_FAILURE() << "no service " << id;
    return {};
  }

  bool run_until_idle(const std::string& id) {
    return runtime.run_until([this, id] {
      const auto service = registry->find(id);
      return !service->delivering && service->inbox.behind() == 0;
    });
  }

  static std::vector<std::unique_ptr<const ReceiverKind>> all_kinds() {
    std::vector<std::unique_ptr<const ReceiverKind>> all;
    all.push_back(std::make_unique<const PlainKind>());
    return all;
  }

  ReceiverKinds kinds{all_kinds()};
  std::size_t services_max = 10;
  DeliveryPolicy settings;
  prometheus::Counter delivered;
  prometheus::Counter failed;
  prometheus::Counter facts_delivered;
  prometheus::Histogram delivery_seconds{{1}};
  sim::ScriptedReceiver receiver{runtime};
  Stream* stream = only_stream(open_stream());
  std::unique_ptr<TransactionController> controller;
  std::unique_ptr<ServiceRegistry> registry;
};

}  // namespace postrider
