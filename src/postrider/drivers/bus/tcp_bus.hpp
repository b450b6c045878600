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

/// The bus over TCP: lines that end with a line feed. One process listens and forwards each line to
/// all the others. A connection begins with `SERVER fleet`, which is answered with the same, or
/// closed when it names another fleet; `PING` keeps it alive; `ERROR text` gives the reason before
/// it is closed.
class TcpBus final : public Bus {
 public:
  /// No line of a postrider is as long. A connection that sends a longer one is closed.
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
