#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postrider/delivery/service_registry.hpp"
#include "postrider/delivery/testing/plain_receiver.hpp"
#include "postrider/sort/testing/decision_world.hpp"
#include "sim/scripted_receiver.hpp"

namespace postrider {

/// Delivery from streams to scripted receivers over a real database file, in virtual time. The
/// test stands in for the sorter.
class DeliveryWorld : public DecisionWorld {
 protected:
  DeliveryWorld() { restart(); }
  ~DeliveryWorld() override { run(controller->gate().drained()); }

  /// A new controller and registry with what the database holds.
  void restart() {
    if (controller) {
      controller->request_stop();
      run(controller->gate().drained());
    }
    registry.reset();
    load_decisions();
    controller.reset();
    budget = std::make_unique<TransactionBudget>(runtime, in_flight_bytes_max);
    transactions = std::make_unique<TransactionSource>(runtime, Reader{lane, *reader}, *tails,
                                                       *streams, *budget);
    controller = std::make_unique<TransactionController>(
        runtime, *committer, *transactions, *budget, receiver,
        DeliveryMetrics{delivered, failed, facts_delivered, delivery_seconds, facts_quarantined});
    registry = std::make_unique<ServiceRegistry>(
        runtime, *committer, *controller,
        ServiceRegistry::Settings{.services_max = services_max, .delivery = settings});
    StoredDelivery stored = read_stored_delivery(*reader).value();
    EXPECT_TRUE(parse_receivers(stored, kinds));
    EXPECT_TRUE(registry->load(std::move(stored), *tails));
    registry->start_delivery();
  }

  Stream* add_stream(const std::string& name) {
    const StreamRow row = put_stream(*writer, name, format->name(), runtime.wall_now()).value();
    return &streams->add(std::make_unique<Stream>(runtime, *committer, Reader{lane, *reader},
                                                  StreamDefinition{row, format, {}},
                                                  StreamMetrics{facts_per_commit}, IdSource{}));
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
    deliver_in(*stream, {id}, count, from);
  }
  void deliver_in(Stream& of, const std::vector<std::string>& service_ids, int count, int from) {
    const auto receipt = run(of.append(facts(of, count, from), std::nullopt)).value();
    ServiceSet services;
    for (const std::string& id : service_ids) services.push_back(registry->find(id)->row.key);
    const Positions positions = run_of(receipt.first.value, receipt.last.value);
    decide(of.key(), {{services, positions}});
    of.set_sorted({receipt.last, 0});
    const WallTime appended_at = tails->of(of.key()).rows().back()->appended_at;
    for (const ServiceKey service : services) {
      registry->add_to_inbox(service, of.key(), ids(positions), appended_at);
    }
  }
  void fold_all() { DecisionWorld::fold_all(stream->key()); }

  /// What the database says of the service.
  DeliveryState stored_state(const std::string& id) {
    const auto services = read_services(*reader).value();
    for (const StoredService& service : services) {
      if (service.row.id == id) return service.delivery;
    }
    ADD_FAILURE() << "no service " << id;
    return {};
  }
  /// And of what it has of the stream.
  DeliveryCursor stored_cursor(const std::string& id, StreamKey of) {
    const ServiceKey service = registry->find(id)->row.key;
    const auto cursors = read_cursors(*reader).value();
    for (const StoredCursor& each : cursors) {
      if (each.service == service && each.stream == of) return each.cursor;
    }
    return {};
  }
  DeliveryCursor stored_cursor(const std::string& id) { return stored_cursor(id, stream->key()); }

  bool run_until_idle(const std::string& id) {
    return runtime.run_until([this, id] {
      const auto service = registry->find(id);
      return !service->delivering && service->behind() == 0;
    });
  }

  static std::vector<std::unique_ptr<const ReceiverKind>> all_kinds() {
    std::vector<std::unique_ptr<const ReceiverKind>> all;
    all.push_back(std::make_unique<const PlainKind>());
    return all;
  }

  ReceiverKinds kinds{all_kinds()};
  std::size_t services_max = 10;
  std::size_t in_flight_bytes_max = 256U << 20;
  DeliveryPolicy settings;
  prometheus::Counter delivered;
  prometheus::Counter failed;
  prometheus::Counter facts_delivered;
  prometheus::Histogram delivery_seconds{{1}};
  prometheus::Counter facts_quarantined;
  sim::ScriptedReceiver receiver{runtime};
  Stream* stream = only_stream(open_stream());
  std::unique_ptr<TransactionBudget> budget;
  std::unique_ptr<TransactionSource> transactions;
  std::unique_ptr<TransactionController> controller;
  std::unique_ptr<ServiceRegistry> registry;
};

}  // namespace postrider
