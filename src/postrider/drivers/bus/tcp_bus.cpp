#include "postrider/drivers/bus/tcp_bus.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <boost/asio/post.hpp>

#include "postrider/base/log.hpp"
#include "postrider/drivers/bus/bus_socket.hpp"
#include "postrider/drivers/bus/bus_thread.hpp"
#include "postrider/drivers/bus/reconnect_pause.hpp"

namespace postrider {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Cuts what arrives into lines.
class Lines {
 public:
  /// False when a line is too long.
  bool feed(std::string_view bytes, const std::function<bool(std::string line)>& each) {
    while (true) {
      const std::size_t end = bytes.find('\n');
      begun_ += bytes.substr(0, end);
      if (begun_.size() > TcpBus::line_bytes_max) return false;
      if (end == std::string_view::npos) return true;
      bytes.remove_prefix(end + 1);
      std::string line = std::exchange(begun_, {});
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty() && !each(std::move(line))) return false;
    }
  }

 private:
  std::string begun_;
};

}  // namespace

/// On the bus thread, unless a member says otherwise.
struct TcpBus::State {
  State(asio::any_io_executor engine, TcpBusAddress where, BusTiming times)
      : thread(std::move(engine)),
        address(std::move(where)),
        timing(times),
        timer(thread.io()),
        acceptor(thread.io()) {}

  struct Peer {
    std::shared_ptr<BusSocket> socket;
    bool is_greeted = false;  ///< it is of this fleet
    Lines lines;
  };
  using PeerPointer = std::shared_ptr<Peer>;

  void begin();
  void listen();
  void accept();
  void connect();
  BusSocket::Events events_of(const PeerPointer& peer);
  [[nodiscard]] std::string greeting() const { return "SERVER " + fleet + "\n"; }
  bool handle_line(Peer& peer, std::string line);
  bool greet(Peer& peer, const std::string& line);
  void lose(const PeerPointer& peer, const std::string& reason);
  void log_error_line(const std::string& line) const;
  void begin_later(const std::string& reason);
  void send_all(const std::string& line, const Peer* but);

  BusThread thread;
  TcpBusAddress address;
  BusTiming timing;
  std::string fleet;
  asio::steady_timer timer;
  asio::ip::tcp::acceptor acceptor;
  std::set<PeerPointer> peers;
  ReconnectPause pause;
  std::string last_reason;
};

void TcpBus::State::begin() {
  if (address.listens) {
    listen();
  } else {
    connect();
  }
}

void TcpBus::State::listen() {
  error_code error;
  const auto host = asio::ip::make_address(address.host, error);
  const asio::ip::tcp::endpoint endpoint(host, static_cast<std::uint16_t>(std::stoi(address.port)));
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
    return begin_later(error.message());
  }
  log_info("replication: listening on {}:{}", address.host, address.port);
  thread.tell_connected();
  accept();
}

void TcpBus::State::accept() {
  auto peer = std::make_shared<Peer>();
  peer->socket = std::make_shared<BusSocket>(thread.io(), timing);
  acceptor.async_accept(peer->socket->socket(), [this, peer](error_code error) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      peers.insert(peer);
      peer->socket->accept(events_of(peer));
    }
    accept();
  });
}

void TcpBus::State::connect() {
  auto peer = std::make_shared<Peer>();
  peer->socket = std::make_shared<BusSocket>(thread.io(), timing);
  peers.insert(peer);
  peer->socket->connect(address.host, address.port, events_of(peer));
}

/// They hold the peer weakly: its socket holds them.
BusSocket::Events TcpBus::State::events_of(const PeerPointer& peer) {
  const std::weak_ptr<Peer> weak = peer;
  BusSocket::Events events;
  events.opened = [this, weak] {
    const auto opened = weak.lock();
    if (opened && !address.listens) opened->socket->send(greeting());
  };
  events.received = [this, weak](std::string_view bytes) {
    const auto sender = weak.lock();
    const auto each = [this, &sender](std::string line) {
      return handle_line(*sender, std::move(line));
    };
    return sender && sender->lines.feed(bytes, each);
  };
  events.closed = [this, weak](const std::string& reason) {
    if (const auto lost = weak.lock()) lose(lost, reason);
  };
  events.keep_alive = [] { return std::string("PING\n"); };
  return events;
}

/// False when the connection is to be closed.
bool TcpBus::State::handle_line(Peer& peer, std::string line) {
  if (!peer.is_greeted) return greet(peer, line);
  if (line == "PING" || line.starts_with("PING ")) return true;
  if (line.starts_with("ERROR ")) {
    log_error_line(line);
    return false;
  }
  if (address.listens) send_all(line, &peer);
  thread.tell_received(std::move(line));
  return true;
}

bool TcpBus::State::greet(Peer& peer, const std::string& line) {
  if (line.starts_with("ERROR ")) log_error_line(line);
  if (line + "\n" != greeting()) {
    peer.socket->send("ERROR another fleet\n");
    peer.socket->close_when_sent("the other side is of another fleet, or no postrider");
    return false;
  }
  peer.is_greeted = true;
  if (address.listens) {
    // The answer tells it that it gets every line from now on.
    peer.socket->send(greeting());
    return true;
  }
  last_reason.clear();
  log_info("replication: connected to {}:{}", address.host, address.port);
  thread.tell_connected();
  return true;
}

void TcpBus::State::log_error_line(const std::string& line) const {
  log_warn("replication: {}:{} closes a connection: {}", address.host, address.port, line);
}

void TcpBus::State::lose(const PeerPointer& peer, const std::string& reason) {
  const bool was_greeted = peer->is_greeted;
  peers.erase(peer);
  if (address.listens) return;
  if (was_greeted) thread.tell_disconnected();
  begin_later(reason);
}

void TcpBus::State::begin_later(const std::string& reason) {
  if (std::exchange(last_reason, reason) != reason) {
    log_warn("replication: no connection to {}:{}, which is tried again: {}", address.host,
             address.port, reason);
  }
  timer.expires_after(pause.next());
  timer.async_wait([this](error_code error) {
    if (!error) begin();
  });
}

void TcpBus::State::send_all(const std::string& line, const Peer* but) {
  // A peer that does not read fast enough is removed meanwhile.
  const std::vector<PeerPointer> all(peers.begin(), peers.end());
  for (const PeerPointer& peer : all) {
    if (peer.get() != but && peer->is_greeted) peer->socket->send(line + "\n");
  }
}

TcpBus::TcpBus(asio::any_io_executor engine, TcpBusAddress address, BusTiming timing)
    : state_(std::make_unique<State>(std::move(engine), std::move(address), timing)) {}

TcpBus::~TcpBus() {
  stop();
}

void TcpBus::start(Listener& listener, std::string fleet) {
  state_->fleet = std::move(fleet);
  asio::post(state_->thread.io(), [state = state_.get()] { state->begin(); });
  state_->thread.start(listener);
}

void TcpBus::stop() {
  state_->thread.stop([state = state_.get()] {
    return std::ranges::all_of(state->peers,
                               [](const auto& peer) { return peer->socket->is_drained(); });
  });
}

void TcpBus::publish(std::string line) {
  asio::post(state_->thread.io(),
             [state = state_.get(), line = std::move(line)] { state->send_all(line, nullptr); });
}

void TcpBus::caught_up() {
  asio::post(state_->thread.io(), [state = state_.get()] { state->pause.reset(); });
}

}  // namespace postrider
