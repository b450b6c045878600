#pragma once

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "postrider/drivers/bus/bus_timing.hpp"
#include "postrider/runtime/bus.hpp"

namespace postrider {

struct TcpBusAddress {
  std::string host;
  std::string port;
  bool listens = false;  ///< one process of a fleet does; the others connect to it
};

/// The bus over TCP: lines that end with a line feed. One process listens and passes on what it is
/// told. Who connects begins with `SERVER fleet` and is let in with the same, or cut off when it is
/// of another fleet; `PING` fills silence; `ERROR text` says why a connection is closed.
class TcpBus final : public Bus {
 public:
  /// No line of ours is as long; who sends a longer one is cut off.
  static constexpr std::size_t line_bytes_max = 4U << 20;

  /// Calls its listener on `engine`.
  TcpBus(boost::asio::any_io_executor engine, TcpBusAddress address, BusTiming timing = {});
  ~TcpBus() override;

  void start(Listener& listener, std::string fleet) override;
  void stop() override;
  void publish(std::string line) override;
  void caught_up() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postrider
