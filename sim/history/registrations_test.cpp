#include "sim/history/registrations.hpp"

#include <gtest/gtest.h>

namespace postrider::sim {
namespace {

const PlainService old_one =
    PlainRegistration{.sender_localpart = "a", .users = {}, .rooms = {}, .aliases = {}};
const PlainService new_one =
    PlainRegistration{.sender_localpart = "b", .users = {}, .rooms = {}, .aliases = {}};

TEST(RegistrationsTest, a_change_without_an_answer_may_or_may_not_have_happened) {
  for (const PlainService& stored : {old_one, new_one}) {
    Registrations registrations;
    registrations.put("svc", "p", true, old_one, {});
    registrations.doubt("svc", {.service = new_one, .pushed = true, .before = {}});
    EXPECT_TRUE(registrations.settle("svc", Registrations::Stored{"p", stored}, {}));
    EXPECT_EQ(registrations.current("svc")->versions.back().service, stored);
  }
}

TEST(RegistrationsTest, a_change_that_nobody_asked_for_has_no_explanation) {
  Registrations registrations;
  registrations.put("svc", "p", true, old_one, {});
  EXPECT_FALSE(registrations.settle("svc", Registrations::Stored{"p", new_one}, {}));
}

TEST(RegistrationsTest, a_service_of_another_kind_is_another_one) {
  Registrations registrations;
  registrations.put("svc", "p", true, old_one, {});
  const PlainService webhook = PlainWebhook{{"m."}, {}};
  EXPECT_FALSE(registrations.settle("svc", Registrations::Stored{"p", webhook}, {}));
}

TEST(RegistrationsTest, a_service_is_gone_only_when_somebody_deleted_it) {
  Registrations registrations;
  registrations.put("svc", "p", true, old_one, {});
  EXPECT_FALSE(registrations.settle("svc", std::nullopt, {}));
  registrations.doubt("svc", {.service = std::nullopt, .pushed = true, .before = {}});
  EXPECT_TRUE(registrations.settle("svc", std::nullopt, {}));
  EXPECT_EQ(registrations.current("svc"), nullptr);
}

TEST(RegistrationsTest, a_new_life_has_a_prefix_of_its_own) {
  Registrations registrations;
  registrations.put("svc", "p", true, old_one, {});
  registrations.remove("svc", {});
  registrations.put("svc", "q", true, old_one, {});
  EXPECT_EQ(registrations.all().size(), 2U);
  EXPECT_TRUE(registrations.find_by_prefix("p")->deleted);
  EXPECT_FALSE(registrations.find_by_prefix("q")->deleted);
}

}  // namespace
}  // namespace postrider::sim
