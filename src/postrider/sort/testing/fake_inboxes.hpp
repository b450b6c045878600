#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "postrider/sort/inboxes.hpp"

namespace postrider {

/// Stands in for the services and their inboxes, and keeps what it is given.
class FakeInboxes final : public Inboxes {
 public:
  [[nodiscard]] std::uint64_t interest_version() const override { return version; }
  [[nodiscard]] std::vector<ServiceInterest> interests() const override { return services; }
  std::unique_ptr<InboxWrite> prepare_inboxes(const DecidedFacts& decided) override {
    return prepare ? prepare(decided) : nullptr;
  }
  void add_to_inbox(ServiceKey service, StreamKey, std::span<const StreamId> positions,
                    WallTime) override {
    EXPECT_FALSE(positions.empty());
    const auto found = std::ranges::find(services, service, &ServiceInterest::service);
    if (found == services.end()) return;
    std::vector<std::int64_t>& all = got[service];
    for (const StreamId id : positions) {
      EXPECT_TRUE(all.empty() || id.value > all.back()) << id.value << " after " << all.back();
      all.push_back(id.value);
    }
  }

  std::function<std::unique_ptr<InboxWrite>(const DecidedFacts&)> prepare;
  std::uint64_t version = 1;
  std::vector<ServiceInterest> services;
  std::map<ServiceKey, std::vector<std::int64_t>> got;
};

}  // namespace postrider
