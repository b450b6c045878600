#pragma once

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "postrider/sort/inboxes.hpp"
#include "postrider/sort/positions.hpp"

namespace postrider {

/// Stands in for the services and their inboxes, and keeps what it is given.
class FakeInboxes final : public Inboxes {
 public:
  explicit FakeInboxes(Runtime& runtime) : mutex_(runtime) {}

  [[nodiscard]] std::uint64_t interest_version() const override { return version; }
  [[nodiscard]] std::vector<ServiceInterest> interests() const override { return services; }
  [[nodiscard]] std::optional<InboxSeq> last_seq(ServiceKey service) const override {
    for (const ServiceInterest& interest : services) {
      if (interest.service == service)
        return ends.contains(service) ? ends.at(service) : InboxSeq{};
    }
    return std::nullopt;
  }
  void add_to_inbox(ServiceKey service, const InboxBlock& block) override {
    EXPECT_EQ(block.first_seq, last_seq(service)->plus(1));
    ends[service] = block.last_seq;
    const auto count = block.last_seq.value - block.first_seq.value + 1;
    const auto ids = unpack_positions(block.first_id, count, block.positions).value();
    for (const StreamId id : ids) got[service].push_back(id.value);
  }
  AsyncMutex& inbox_mutex() override { return mutex_; }

  std::uint64_t version = 1;
  std::vector<ServiceInterest> services;
  std::map<ServiceKey, std::vector<std::int64_t>> got;
  std::map<ServiceKey, InboxSeq> ends;

 private:
  AsyncMutex mutex_;
};

}  // namespace postrider
