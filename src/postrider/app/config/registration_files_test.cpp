#include "postrider/app/config/registration_files.hpp"

#include <gtest/gtest.h>

#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {
namespace {

Result<void> accept(const boost::json::value&) {
  return {};
}

Result<void> refuse_url(const boost::json::value&) {
  Error error{Code::invalid_argument, "1 mistake"};
  error.fields = {{"/url", "is not a URL"}};
  return std::unexpected(error);
}

class RegistrationFiles : public testing::Test {
 protected:
  std::string registration(const std::string& name, const std::string& id,
                           const std::string& token) {
    return folder_.write(
        name, "id: " + id + "\nurl: x\nas_token: a" + token + "\nhs_token: h" + token + "\n");
  }
  TemporaryFolder folder_;
  Settings settings_;
};

TEST_F(RegistrationFiles, are_read_in_their_order) {
  settings_.services = {registration("b.yaml", "b", "1"), registration("a.yaml", "a", "2")};
  const auto loaded = load_registrations(settings_, accept);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 2U);
  EXPECT_EQ(loaded->at(0).file, settings_.services[0]);
}

TEST_F(RegistrationFiles, name_both_files_that_share_an_id_or_a_token) {
  settings_.services = {registration("a.yaml", "same", "secret"),
                        registration("b.yaml", "same", "secret")};
  const auto loaded = load_registrations(settings_, accept);
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().size(), 3U);
  EXPECT_EQ(format_config_error(loaded.error()[0]),
            settings_.services[1] + ":1: id: the id \"same\" is also that of " +
                settings_.services[0] + ":1; each service needs its own");
  for (const ConfigError& error : loaded.error()) {
    EXPECT_EQ(error.message.find("secret"), std::string::npos) << error.message;
    EXPECT_NE(error.message.find(settings_.services[0]), std::string::npos) << error.message;
  }
}

TEST_F(RegistrationFiles, report_every_mistake_of_every_file) {
  settings_.services = {registration("a.yaml", "a", "1"), folder_.file("missing.yaml"),
                        folder_.write("bad.yaml", "id: [")};
  const auto loaded = load_registrations(settings_, refuse_url);
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().size(), 3U);
  EXPECT_EQ(loaded.error()[0], (ConfigError{settings_.services[0], 2, "url", "is not a URL"}));
  EXPECT_EQ(loaded.error()[1].file, settings_.services[1]);
  EXPECT_EQ(loaded.error()[2].file, settings_.services[2]);
}

TEST_F(RegistrationFiles, stay_within_the_limit_of_services) {
  settings_.engine.services.services_max = 1;
  settings_.services = {registration("a.yaml", "a", "1"), registration("b.yaml", "b", "2")};
  EXPECT_FALSE(load_registrations(settings_, accept));
}

}  // namespace
}  // namespace postrider
