#pragma once

#include <functional>
#include <string>
#include <thread>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "postrider/runtime/bus.hpp"

namespace postrider {

/// The thread that the sockets of a bus live on, and the way from it to the engine.
class BusThread {
 public:
  explicit BusThread(boost::asio::any_io_executor engine);
  BusThread(const BusThread&) = delete;
  BusThread& operator=(const BusThread&) = delete;
  ~BusThread();

  boost::asio::io_context& io() { return io_; }
  void start(Bus::Listener& listener);
  /// Ends the thread once `is_drained` holds on it, or soon without; nothing more reaches the
  /// engine's listener. Engine thread.
  void stop(std::function<bool()> is_drained);

  /// From the bus's thread to the engine's.
  void tell_connected();
  void tell_disconnected();
  void tell_received(std::string line);

 private:
  void end_when(std::function<bool()> is_drained, int tries);
  void tell(std::function<void(Bus::Listener&)> what);

  boost::asio::any_io_executor engine_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  /// Emptied when it stops, on the engine thread.
  std::shared_ptr<Bus::Listener*> listener_;
  boost::asio::steady_timer end_timer_{io_};
  std::thread thread_;
};

}  // namespace postrider
