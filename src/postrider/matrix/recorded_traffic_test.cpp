#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "postrider/matrix/matrix_format.hpp"
#include "postrider/matrix/room_state.hpp"
#include "postrider/matrix/testing/matrix_services.hpp"
#include "postrider/stream/fact_parser.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

/// What a real homeserver sent to each service, as tests/data/homeserver-traffic/README.md says.
class RecordedTraffic : public testing::Test {
 protected:
  struct Received {
    std::string facts;  ///< NDJSON, each event once
    std::vector<std::string> event_ids;
  };

  void SetUp() override {
    const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
    std::ifstream file(root / "tests/data/homeserver-traffic/transactions.ndjson");
    ASSERT_TRUE(file) << "run from a checkout that has tests/data";
    std::map<std::string, std::set<std::string>> seen;
    for (std::string line; std::getline(file, line);) {
      const json::value transaction = json::parse(line);
      const std::string service(transaction.at("service").as_string());
      const json::value body = json::parse(transaction.at("body").as_string());
      for (const json::value& event : body.at("events").as_array()) {
        const std::string event_id(event.at("event_id").as_string());
        if (!seen[service].insert(event_id).second) continue;
        received_[service].event_ids.push_back(event_id);
        received_[service].facts += json::serialize(event) + "\n";
      }
    }
  }

  /// Which of all events service 1 gets.
  std::vector<std::string> sort(const std::vector<ServiceInterest>& services) {
    const auto batch =
        parse_facts(received_["catchall"].facts, BodyKind::ndjson, MatrixFormat(), {});
    EXPECT_TRUE(batch);
    CompiledIndex index(services, "");
    RoomState rooms;
    RoomChanges changes;
    std::vector<std::string> event_ids;
    for (std::size_t i = 0; i < (*batch)->size(); ++i) {
      const MatrixAttributes event = matrix_attributes((*batch)->attributes(i));
      const ServiceSet decided = decide(index, rooms, event, changes);
      if (std::ranges::binary_search(decided, ServiceKey(1))) {
        event_ids.emplace_back(event.event_id);
      }
    }
    return event_ids;
  }

  std::map<std::string, Received> received_;
};

const ServiceInterest irc =
    matrix_service(ServiceKey(1), "ircbot",
                   {.users = {{"@irc_.*", true}}, .aliases = {{"#irc_.*", true}}, .rooms = {}});

TEST_F(RecordedTraffic, is_sorted_to_a_bridge_as_the_homeserver_did) {
  ASSERT_EQ(received_["catchall"].event_ids.size(), 1508U);
  ASSERT_EQ(received_["irc"].event_ids.size(), 993U);
  EXPECT_EQ(sort({irc}), received_["irc"].event_ids);
}

TEST_F(RecordedTraffic, is_sorted_the_same_beside_other_services) {
  const ServiceInterest other =
      matrix_service(ServiceKey(2), "catchallbot", {.users = {{"@.*", false}}});
  EXPECT_EQ(sort({irc, other}), received_["irc"].event_ids);
}

TEST_F(RecordedTraffic, is_sorted_to_a_service_for_everyone_whole) {
  const ServiceInterest everyone =
      matrix_service(ServiceKey(1), "catchallbot", {.users = {{"@.*", false}}});
  EXPECT_EQ(sort({everyone}), received_["catchall"].event_ids);
}

}  // namespace
}  // namespace postrider
