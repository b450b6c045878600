#include "postrider/app/serve/descriptor_budget.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(DescriptorBudget, the_defaults_fit_when_there_are_enough) {
  const Settings settings;
  const std::size_t wanted = descriptor_budget(0, settings).descriptors_wanted;
  const DescriptorBudget enough = descriptor_budget(wanted, settings);
  EXPECT_FALSE(enough.is_short);
  EXPECT_EQ(enough.connections_max, settings.http_client.connections_max);
  EXPECT_EQ(enough.connections_per_host_max, settings.http_client.connections_per_host_max);
  EXPECT_EQ(enough.listener_connections_max, settings.listener.connections_max);
  EXPECT_TRUE(descriptor_budget(wanted - 1, settings).is_short);
}

TEST(DescriptorBudget, few_are_shared_with_a_reserve_left) {
  const DescriptorBudget few = descriptor_budget(160, {});
  EXPECT_TRUE(few.is_short);
  EXPECT_EQ(few.connections_max, 24U);
  EXPECT_EQ(few.connections_per_host_max, 12U);
  EXPECT_EQ(few.listener_connections_max, 24U);
}

TEST(DescriptorBudget, what_the_settings_allow_is_never_exceeded) {
  Settings settings;
  settings.http_client.connections_max = 10;
  settings.http_client.connections_per_host_max = 3;
  const DescriptorBudget budget = descriptor_budget(160, settings);
  EXPECT_TRUE(budget.is_short) << "for the listeners";
  EXPECT_EQ(budget.connections_max, 10U);
  EXPECT_EQ(budget.connections_per_host_max, 3U);
}

TEST(DescriptorBudget, there_is_always_one_of_each) {
  const DescriptorBudget none = descriptor_budget(3, {});
  EXPECT_EQ(none.connections_max, 1U);
  EXPECT_EQ(none.connections_per_host_max, 1U);
  EXPECT_EQ(none.listener_connections_max, 1U);
}

}  // namespace
}  // namespace postrider
