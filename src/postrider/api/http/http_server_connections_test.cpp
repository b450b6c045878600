#include "postrider/api/http/http_server.hpp"
#include "postrider/api/http/internal/connection_table.hpp"
#include "postrider/api/http/testing/http_server_world.hpp"

namespace postrider {
namespace {

TEST_F(HttpServerTest, turns_away_what_is_over_its_number_of_connections_while_none_waits) {
  HttpServerSettings settings;
  settings.connections_max = 2;
  start(settings);
  const auto first = held_client();
  const auto second = held_client();
  RawClient third(server->port());
  const RawResponse refused = third.response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("Retry-After: 1\r\n"));
  EXPECT_NE(refused.body.find("connections_max"), std::string::npos) << refused.body;
  EXPECT_TRUE(third.is_ended());
  released = true;
  EXPECT_EQ(first->response().status, 200);
  EXPECT_EQ(second->response().status, 200);
}

TEST_F(HttpServerTest, one_without_a_token_that_waits_leaves_first) {
  HttpServerSettings settings;
  settings.connections_max = 4;
  start(settings);
  const auto authenticated = authenticated_client();
  const auto held = held_client();
  RawClient half(server->port());
  half.send("GET / HT");
  RawClient silent(server->port());
  RawClient fifth(server->port());
  EXPECT_TRUE(half.is_ended());
  fifth.send(get_hello);
  EXPECT_EQ(fifth.response().status, 200);
  silent.send(get_hello);
  EXPECT_EQ(silent.response().status, 200) << "it waited for a shorter time";
  authenticated->send(post_fact);
  EXPECT_EQ(authenticated->response().status, 200);
  released = true;
  EXPECT_EQ(held->response().status, 200);
}

TEST_F(HttpServerTest, of_those_with_a_token_the_one_that_waits_longest_leaves) {
  HttpServerSettings settings;
  settings.connections_max = 3;
  start(settings);
  const auto first = authenticated_client();
  const auto second = authenticated_client();
  const auto third = authenticated_client();
  first->send(post_fact);
  EXPECT_EQ(first->response().status, 200);
  const auto fourth = authenticated_client();
  EXPECT_TRUE(second->is_ended());
  for (const auto& client : {first.get(), third.get(), fourth.get()}) {
    client->send(post_fact);
    EXPECT_EQ(client->response().status, 200);
  }
}

TEST_F(HttpServerTest, one_address_has_few_connections_without_a_token) {
  HttpServerSettings settings;
  settings.connections_per_address_max = 2;
  start(settings);
  const auto authenticated = authenticated_client();
  RawClient first(server->port());
  RawClient second(server->port());
  RawClient of_another(server->port(), INADDR_LOOPBACK + 1);
  RawClient third(server->port());
  EXPECT_TRUE(first.is_ended());
  for (RawClient* const client : {&second, &third, &of_another}) {
    client->send(get_hello);
    EXPECT_EQ(client->response().status, 200);
  }
  authenticated->send(post_fact);
  EXPECT_EQ(authenticated->response().status, 200);
}

TEST_F(HttpServerTest, one_address_whose_connections_are_all_answered_without_a_token_is_refused) {
  HttpServerSettings settings;
  settings.connections_per_address_max = 2;
  start(settings);
  const auto first = held_client();
  const auto second = held_client();
  RawClient third(server->port());
  const RawResponse refused = third.response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("127.0.0.1 that have shown no token"), std::string::npos)
      << refused.body;
  RawClient of_another(server->port(), INADDR_LOOPBACK + 1);
  of_another.send(get_hello);
  EXPECT_EQ(of_another.response().status, 200);
  released = true;
  EXPECT_EQ(first->response().status, 200);
  EXPECT_EQ(second->response().status, 200);
}

TEST_F(HttpServerTest, a_handler_learns_that_its_client_has_gone) {
  HttpServerSettings settings;
  settings.connections_max = 1;
  start(settings);
  {
    RawClient client(server->port());
    client.send("GET /watching HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_TRUE(eventually([this] { return held == 1; }));
  }
  EXPECT_TRUE(eventually([this] { return released.load(); }));
  // 503 while the other one is there.
  EXPECT_TRUE(eventually([this] { return answer_to(get_hello).status == 200; }));
}

TEST_F(HttpServerTest, a_handler_that_watched_its_client_in_vain_leaves_nothing_behind) {
  start();
  RawClient client(server->port());
  client.send("GET /watching HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([this] { return held == 1; }));
  released = true;
  EXPECT_EQ(client.response().status, 200);
  client.send(get_hello);
  EXPECT_EQ(client.response().status, 200);
}

TEST(PeerOf, is_an_address_or_the_network_of_an_ipv6_address) {
  const auto peer = [](const char* address) {
    return peer_of(boost::asio::ip::make_address(address));
  };
  EXPECT_EQ(peer("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(peer("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(peer("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
  EXPECT_EQ(peer("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
  EXPECT_NE(peer("2001:db8:1:3::"), peer("2001:db8:1:2::"));
}

TEST_F(HttpServerTest, ends_connections_that_stay_idle_or_stop_half_way) {
  HttpServerSettings settings;
  settings.idle_timeout = std::chrono::milliseconds{20};
  settings.read_timeout = std::chrono::milliseconds{20};
  start(settings);
  for (const std::string_view part : {"", "GET / HT",
                                      "POST /echo HTTP/1.1\r\nHost: h\r\n"
                                      "Content-Length: 10\r\n\r\nhalf"}) {
    RawClient client(server->port());
    client.send(part);
    EXPECT_TRUE(client.is_ended()) << part;
  }
}

TEST_F(HttpServerTest, gives_a_request_less_time_than_an_idle_connection) {
  HttpServerSettings settings;
  settings.read_timeout = std::chrono::milliseconds{20};
  start(settings);
  RawClient client(server->port());
  client.send(get_hello);
  EXPECT_EQ(client.response().status, 200);
  client.send("GET / HT");
  EXPECT_TRUE(client.is_ended());
}

TEST_F(HttpServerTest, ends_a_connection_that_stays_idle_after_an_answer) {
  HttpServerSettings settings;
  settings.idle_timeout = std::chrono::milliseconds{500};
  start(settings);
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
  client.send("+other");
  EXPECT_EQ(client.response().body, "half+other");
  EXPECT_TRUE(client.is_ended());
}

}  // namespace
}  // namespace postrider
