#include <memory>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "postrider/api/http/http_server.hpp"
#include "postrider/drivers/bus/redis_bus.hpp"
#include "postrider/drivers/bus/tcp_bus.hpp"
#include "postrider/drivers/curl/curl_client_test.hpp"

// What every driver with a thread of its own bears, and the HTTP server. An adapter is made anew
// for each case:
//   void start()       as its owner starts it, once
//   void stop()        as its owner stops it
//   void make_busy()   something is under way that does not end by itself
//   int calls()        how often it has called its owner
// Each may be stopped before it is started; none is started after that, or twice.

namespace postrider {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// What an owner has around a driver.
class World {
 public:
  /// What was sent to the engine's thread is done.
  int settled_calls() {
    engine.restart();
    engine.poll();
    return calls;
  }

 protected:
  static tcp::endpoint any_port() { return {asio::ip::make_address("127.0.0.1"), 0}; }
  [[nodiscard]] std::string silent_port() const {
    return std::to_string(silence.local_endpoint().port());
  }
  /// Opens a connection and begins to say something.
  void speak(std::uint16_t port) {
    client.connect({asio::ip::make_address("127.0.0.1"), port});
    asio::write(client, asio::buffer(std::string("GET / HT")));
  }

  asio::io_context engine;
  asio::io_context others;
  /// Takes connections, and says nothing.
  tcp::acceptor silence{others, any_port()};
  tcp::socket client{others};
  int calls = 0;
};

class BusWorld : public World, private Bus::Listener {
 public:
  void start() { bus->start(*this, "fleet"); }
  void stop() { bus->stop(); }
  void make_busy() { bus->publish("line"); }

 protected:
  std::unique_ptr<Bus> bus;

 private:
  void connected() override { ++calls; }
  void disconnected() override { ++calls; }
  void received(std::string) override { ++calls; }
};

class TcpHub : public BusWorld {
 public:
  TcpHub() {
    bus = std::make_unique<TcpBus>(engine.get_executor(), TcpBusAddress{"127.0.0.1", "0", true});
  }
};

class TcpSpoke : public BusWorld {
 public:
  TcpSpoke() {
    bus = std::make_unique<TcpBus>(engine.get_executor(),
                                   TcpBusAddress{"127.0.0.1", silent_port(), false});
  }
};

class Redis : public BusWorld {
 public:
  Redis() {
    RedisAddress address;
    address.port = silent_port();
    bus = std::make_unique<RedisBus>(engine.get_executor(), address);
  }
};

class Server : public World {
 public:
  void start() { ASSERT_TRUE(server.start()); }
  void stop() { server.stop({}); }
  void make_busy() { speak(server.port()); }

 private:
  HttpServer server{{}, HttpRouter(), BearerTokens()};
};

class Client : public World {
 public:
  void start() {}  // with its first request
  void stop() { http.stop(); }
  void make_busy() {
    asio::co_spawn(engine, http.send(request_to("http://127.0.0.1:" + silent_port())),
                   [this](const std::exception_ptr&, const Result<HttpResponse>&) { ++calls; });
    engine.poll();
  }

 private:
  CurlHttpClient http{engine.get_executor(), loopback_allowed()};
};

template <class Driver>
class DriverStartStop : public testing::Test {
 protected:
  static void expect_rest(Driver& driver) {
    const int before = driver.settled_calls();
    driver.stop();
    EXPECT_EQ(driver.settled_calls(), before);
  }
};

using Drivers = testing::Types<TcpHub, TcpSpoke, Redis, Server, Client>;
TYPED_TEST_SUITE(DriverStartStop, Drivers);

TYPED_TEST(DriverStartStop, may_be_stopped_before_it_is_started) {
  TypeParam driver;
  driver.stop();
  this->expect_rest(driver);
}

TYPED_TEST(DriverStartStop, may_be_stopped_as_soon_as_it_is_started) {
  TypeParam driver;
  driver.start();
  driver.stop();
  this->expect_rest(driver);
}

TYPED_TEST(DriverStartStop, may_be_stopped_while_it_is_busy) {
  TypeParam driver;
  driver.start();
  driver.make_busy();
  driver.stop();
  this->expect_rest(driver);
}

TYPED_TEST(DriverStartStop, may_be_destroyed_while_it_is_busy) {
  TypeParam driver;
  driver.start();
  driver.make_busy();
}

TYPED_TEST(DriverStartStop, may_be_destroyed_unused) {
  TypeParam driver;
  EXPECT_EQ(driver.settled_calls(), 0);
}

}  // namespace
}  // namespace postrider
