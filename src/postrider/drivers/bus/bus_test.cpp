#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "postrider/drivers/bus/redis_bus.hpp"
#include "postrider/drivers/bus/tcp_bus.hpp"

namespace postrider {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::string free_port() {
  asio::io_context io;
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  return std::to_string(acceptor.local_endpoint().port());
}

/// Writes down what happens on a bus.
class Ear final : public Bus::Listener {
 public:
  void connected() override { ++connections; }
  void disconnected() override { ++losses; }
  void received(std::string line) override { lines.push_back(std::move(line)); }

  int connections = 0;
  int losses = 0;
  std::vector<std::string> lines;
};

/// One that speaks whatever a test wants it to.
class RawPeer {
 public:
  explicit RawPeer(const std::string& port) : socket_(io_) {
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve("127.0.0.1", port);
    socket_.connect(found.begin()->endpoint());
  }
  void write(const std::string& text) { asio::write(socket_, asio::buffer(text)); }
  /// The next line, or "closed".
  std::string line() {
    while (bytes_.find('\n') == std::string::npos) {
      std::array<char, 4096> buffer{};
      boost::system::error_code error;
      const std::size_t size = socket_.read_some(asio::buffer(buffer), error);
      if (error) return "closed";
      bytes_.append(buffer.data(), size);
    }
    const std::size_t end = bytes_.find('\n');
    std::string line = bytes_.substr(0, end);
    bytes_.erase(0, end + 1);
    return line;
  }

 private:
  asio::io_context io_;
  tcp::socket socket_;
  std::string bytes_;
};

class TcpBusTest : public testing::Test {
 protected:
  std::unique_ptr<TcpBus> hub() {
    return std::make_unique<TcpBus>(io.get_executor(), TcpBusAddress{"127.0.0.1", port, true});
  }
  std::unique_ptr<TcpBus> spoke() {
    return std::make_unique<TcpBus>(io.get_executor(), TcpBusAddress{"127.0.0.1", port, false});
  }
  /// Runs what comes for the engine until `condition` holds.
  void wait_for(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition() && std::chrono::steady_clock::now() < until) {
      io.restart();
      io.run_for(std::chrono::milliseconds{5});
    }
    EXPECT_TRUE(condition());
  }

  asio::io_context io;
  std::string port = free_port();
  Ear a, b, c;
};

TEST_F(TcpBusTest, everybody_hears_what_another_one_says) {
  const auto first = hub();
  const auto second = spoke();
  const auto third = spoke();
  first->start(a, "fleet");
  second->start(b, "fleet");
  third->start(c, "fleet");
  wait_for([&] { return a.connections == 1 && b.connections == 1 && c.connections == 1; });
  second->publish("of the second");
  wait_for([&] { return a.lines.size() == 1 && c.lines.size() == 1; });
  first->publish("of the first");
  wait_for([&] { return b.lines.size() == 1 && c.lines.size() == 2; });
  EXPECT_EQ(c.lines, (std::vector<std::string>{"of the second", "of the first"}));
  EXPECT_EQ(b.lines, std::vector<std::string>{"of the first"});
}

TEST_F(TcpBusTest, long_lines_arrive_whole_and_in_order) {
  const auto first = hub();
  const auto second = spoke();
  first->start(a, "fleet");
  second->start(b, "fleet");
  wait_for([&] { return b.connections == 1; });
  for (int i = 0; i < 20; ++i) {
    second->publish(std::string(400'000, static_cast<char>('a' + i)));
  }
  wait_for([&] { return a.lines.size() == 20; });
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(a.lines[i], std::string(400'000, static_cast<char>('a' + i)));
  }
}

TEST_F(TcpBusTest, who_loses_the_listening_one_connects_again) {
  auto first = hub();
  const auto second = spoke();
  second->start(b, "fleet");
  first->start(a, "fleet");
  wait_for([&] { return b.connections == 1; });
  first.reset();
  wait_for([&] { return b.losses == 1; });
  first = hub();
  first->start(c, "fleet");
  wait_for([&] { return b.connections == 2; });
  second->publish("again");
  wait_for([&] { return c.lines.size() == 1; });
}

TEST_F(TcpBusTest, another_fleet_is_not_let_in) {
  const auto first = hub();
  first->start(a, "fleet");
  wait_for([&] { return a.connections == 1; });
  RawPeer peer(port);
  EXPECT_EQ(peer.line(), "SERVER fleet");
  peer.write("SERVER other\nPOSITION events w 1 2 3\n");
  EXPECT_EQ(peer.line(), "ERROR another fleet");
  EXPECT_EQ(peer.line(), "closed");
  io.restart();
  io.run_for(std::chrono::milliseconds{50});
  EXPECT_TRUE(a.lines.empty());
}

TEST_F(TcpBusTest, who_does_not_greet_is_not_heard) {
  const auto first = hub();
  first->start(a, "fleet");
  wait_for([&] { return a.connections == 1; });
  RawPeer peer(port);
  peer.write("POSITION events w 1 2 3\n");
  EXPECT_EQ(peer.line(), "SERVER fleet");
  EXPECT_EQ(peer.line(), "ERROR another fleet");
  EXPECT_TRUE(a.lines.empty());
}

TEST_F(TcpBusTest, a_line_without_an_end_is_cut_off) {
  const auto first = hub();
  first->start(a, "fleet");
  wait_for([&] { return a.connections == 1; });
  RawPeer peer(port);
  peer.write("SERVER fleet\r\n\r\nof a peer\r\n");
  wait_for([&] { return a.lines.size() == 1; });
  EXPECT_EQ(a.lines.front(), "of a peer");
  EXPECT_EQ(peer.line(), "SERVER fleet");
  try {
    for (std::size_t sent = 0; sent <= TcpBus::line_bytes_max; sent += 1U << 16U) {
      peer.write(std::string(1U << 16U, 'x'));
    }
  } catch (const boost::system::system_error&) {
    // Closed while it was still being sent.
  }
  EXPECT_EQ(peer.line(), "closed");
}

TEST(RedisUrl, says_where_and_as_whom) {
  const RedisAddress address = parse_redis_url("redis://me:s%3Acret@host:7000/3").value();
  EXPECT_EQ(address.host, "host");
  EXPECT_EQ(address.port, "7000");
  EXPECT_EQ(address.user, "me");
  EXPECT_EQ(address.password, "s:cret");
  EXPECT_EQ(address.database, 3);
  const RedisAddress plain = parse_redis_url("redis://h").value();
  EXPECT_EQ(plain.port, "6379");
  EXPECT_TRUE(plain.user.empty());
  EXPECT_EQ(plain.database, 0);
}

TEST(RedisUrl, is_refused_without_being_repeated) {
  for (const char* url : {"", "host", "http://me:secret@h", "redis://me:secret@h/x", "redis://",
                          "redis://me:secret@h/99999", "redis://me:secret@h?a=1"}) {
    const auto refused = parse_redis_url(url);
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().detail.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace postrider
