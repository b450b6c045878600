#include <gtest/gtest.h>

#include "postrider/api/http/http_server.hpp"

namespace postrider {
namespace {

TEST(HttpServer, says_what_it_is_bound_to) {
  HttpServerSettings settings;
  settings.address = "127.0.0.2";
  HttpServer server(settings, HttpRouter(), BearerTokens());
  ASSERT_TRUE(server.start());
  EXPECT_NE(server.port(), 0);
  EXPECT_EQ(server.address(), fmt::format("127.0.0.2:{}", server.port()));
}

TEST(HttpServer, says_why_it_cannot_listen) {
  HttpServer first({}, HttpRouter(), BearerTokens());
  ASSERT_TRUE(first.start());
  HttpServerSettings settings;
  settings.port = first.port();
  HttpServer second(settings, HttpRouter(), BearerTokens());
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::conflict);
  EXPECT_TRUE(started.error().detail.starts_with("cannot listen on " + first.address() +
                                                 ": address already in use; "))
      << started.error().detail;

  settings.address = "192.0.2.1";
  settings.port = 0;
  HttpServer third(settings, HttpRouter(), BearerTokens());
  const auto foreign = third.start();
  ASSERT_FALSE(foreign);
  EXPECT_TRUE(foreign.error().detail.starts_with("cannot listen on 192.0.2.1:0: "));

  settings.address = "everywhere";
  HttpServer fourth(settings, HttpRouter(), BearerTokens());
  const auto unreadable = fourth.start();
  ASSERT_FALSE(unreadable);
  EXPECT_EQ(unreadable.error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace postrider
