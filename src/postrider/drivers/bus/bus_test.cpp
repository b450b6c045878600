#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "postrider/drivers/bus/bus_socket.hpp"
#include "postrider/drivers/bus/reconnect_pause.hpp"
#include "postrider/drivers/bus/redis_bus.hpp"
#include "postrider/drivers/bus/tcp_bus.hpp"

namespace postrider {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

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

class BusTest : public testing::Test {
 protected:
  std::unique_ptr<TcpBus> hub(BusTiming timing = {}) {
    return std::make_unique<TcpBus>(io.get_executor(), TcpBusAddress{"127.0.0.1", port, true},
                                    timing);
  }
  std::unique_ptr<TcpBus> started_hub(BusTiming timing = {}) {
    auto started = hub(timing);
    started->start(a, "fleet");
    wait_for([&] { return a.connections == 1; });
    return started;
  }
  /// One that is let in.
  std::unique_ptr<RawPeer> greeted_peer() {
    auto peer = std::make_unique<RawPeer>(port);
    peer->write("SERVER fleet\n");
    std::string line = "PING";
    while (line == "PING") line = peer->line();
    EXPECT_EQ(line, "SERVER fleet");
    return peer;
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

TEST_F(BusTest, everybody_gets_what_another_one_publishes) {
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

TEST_F(BusTest, long_lines_arrive_whole_and_in_order) {
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

TEST_F(BusTest, who_loses_the_listening_one_connects_again) {
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

TEST_F(BusTest, another_fleet_is_not_let_in) {
  const auto first = started_hub();
  RawPeer peer(port);
  peer.write("SERVER other\nPOSITION events w 1 2 3\n");
  EXPECT_EQ(peer.line(), "ERROR another fleet");
  EXPECT_EQ(peer.line(), "closed");
  io.restart();
  io.run_for(std::chrono::milliseconds{50});
  EXPECT_TRUE(a.lines.empty());
}

TEST_F(BusTest, the_lines_of_who_does_not_greet_are_dropped) {
  const auto first = started_hub();
  RawPeer peer(port);
  peer.write("POSITION events w 1 2 3\n");
  EXPECT_EQ(peer.line(), "ERROR another fleet");
  EXPECT_TRUE(a.lines.empty());
}

TEST_F(BusTest, a_line_without_an_end_is_cut_off) {
  const auto first = started_hub();
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

TEST_F(BusTest, who_is_connected_gets_the_next_word) {
  const auto first = started_hub();
  for (int i = 0; i < 50; ++i) {
    Ear ear;
    const auto second = spoke();
    second->start(ear, "fleet");
    wait_for([&] { return ear.connections == 1; });
    first->publish("next");
    wait_for([&] { return ear.lines.size() == 1; });
    second->stop();
  }
}

TEST_F(BusTest, who_connects_gets_nothing_that_was_published_before) {
  const auto first = started_hub();
  first->publish("before");
  const auto peer = greeted_peer();
  first->publish("after");
  EXPECT_EQ(peer->line(), "after");
}

TEST_F(BusTest, what_is_published_without_a_connection_is_dropped) {
  const auto second = spoke();
  second->start(b, "fleet");
  second->publish("before");
  const auto first = started_hub();
  wait_for([&] { return b.connections == 1; });
  second->publish("after");
  wait_for([&] { return !a.lines.empty(); });
  EXPECT_EQ(a.lines, std::vector<std::string>{"after"});
}

TEST_F(BusTest, an_idle_connection_carries_pings_that_nobody_gets) {
  const auto first = started_hub({.keep_alive_interval = milliseconds{20}});
  const auto peer = greeted_peer();
  EXPECT_EQ(peer->line(), "PING");
  EXPECT_EQ(peer->line(), "PING");
  peer->write("PING\nPING 17\nword\n");
  wait_for([&] { return !a.lines.empty(); });
  EXPECT_EQ(a.lines, std::vector<std::string>{"word"});
}

TEST_F(BusTest, a_connection_on_which_nothing_comes_is_closed) {
  const auto first =
      started_hub({.keep_alive_interval = milliseconds{20}, .receive_timeout = milliseconds{500}});
  const auto peer = greeted_peer();
  std::string line = "PING";
  while (line == "PING") line = peer->line();
  EXPECT_EQ(line, "closed");
}

TEST_F(BusTest, an_error_of_the_other_side_ends_the_connection) {
  const auto first = started_hub();
  const auto peer = greeted_peer();
  peer->write("ERROR I do not understand\nword\n");
  EXPECT_EQ(peer->line(), "closed");
  io.restart();
  io.run_for(milliseconds{20});
  EXPECT_TRUE(a.lines.empty());
}

TEST_F(BusTest, who_does_not_read_is_cut_off_and_others_are_not) {
  const auto first = started_hub();
  const auto peer = greeted_peer();
  const auto second = spoke();
  second->start(b, "fleet");
  wait_for([&] { return b.connections == 1; });
  // As much as it may hold, and more than sockets do.
  const std::size_t words = (BusSocket::queue_bytes_max >> 20U) + 32;
  for (std::size_t i = 1; i <= words; ++i) {
    first->publish(std::string(1U << 20U, 'x'));
    wait_for([&] { return b.lines.size() == i; });
  }
  std::size_t taken = 0;
  while (peer->line() != "closed") ++taken;
  EXPECT_LT(taken, words);
  EXPECT_EQ(b.losses, 0);
}

TEST(ReconnectPause, grows_until_a_connection_was_of_use) {
  ReconnectPause pause;
  std::vector<milliseconds> pauses;
  for (int i = 0; i < 9; ++i) pauses.push_back(duration_cast<milliseconds>(pause.next()));
  EXPECT_EQ(pauses,
            (std::vector{50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}));
  pause.reset();
  EXPECT_EQ(pause.next(), 50ms);
}

/// A server that takes connections and does not answer.
class MuteServer {
 public:
  explicit MuteServer(const std::string& port)
      : acceptor_(io_, {asio::ip::make_address("127.0.0.1"),
                        static_cast<std::uint16_t>(std::stoi(port))}) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  MuteServer(const MuteServer&) = delete;
  MuteServer& operator=(const MuteServer&) = delete;
  ~MuteServer() {
    io_.stop();
    thread_.join();
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      ++connections_;
      sockets_.push_back(std::move(socket));
      accept();
    });
  }

  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::vector<tcp::socket> sockets_;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

TEST_F(BusTest, a_redis_that_does_not_answer_is_left_and_tried_again) {
  const MuteServer mute(port);
  const RedisAddress address = parse_redis_url("redis://127.0.0.1:" + port).value();
  RedisBus bus(io.get_executor(), address,
               {.keep_alive_interval = milliseconds{20}, .receive_timeout = milliseconds{60}});
  bus.start(b, "fleet");
  wait_for([&] { return mute.connections() >= 4; });
  EXPECT_EQ(b.connections, 0);
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
