#include "postrider/drivers/bus/bus_thread.hpp"

#include <boost/asio/post.hpp>

#include "postrider/base/time.hpp"

namespace postrider {
namespace {

constexpr int drain_tries = 20;
constexpr Duration drain_pause = std::chrono::milliseconds{10};

}  // namespace

BusThread::BusThread(boost::asio::any_io_executor engine)
    : engine_(std::move(engine)), work_(boost::asio::make_work_guard(io_)) {}

BusThread::~BusThread() {
  stop([] { return true; });
}

void BusThread::start(Bus::Listener& listener) {
  listener_ = std::make_shared<Bus::Listener*>(&listener);
  thread_ = std::thread([this] { io_.run(); });
}

void BusThread::stop(std::function<bool()> is_drained) {
  if (!thread_.joinable()) return;
  *listener_ = nullptr;
  boost::asio::post(io_, [this, is_drained = std::move(is_drained)]() mutable {
    end_when(std::move(is_drained), drain_tries);
  });
  thread_.join();
}

void BusThread::end_when(std::function<bool()> is_drained, int tries) {
  if (tries == 0 || is_drained()) return io_.stop();
  end_timer_.expires_after(drain_pause);
  end_timer_.async_wait(
      [this, is_drained = std::move(is_drained), tries](boost::system::error_code) mutable {
        end_when(std::move(is_drained), tries - 1);
      });
}

void BusThread::tell(std::function<void(Bus::Listener&)> what) {
  boost::asio::post(engine_, [listener = listener_, what = std::move(what)] {
    if (*listener != nullptr) what(**listener);
  });
}

void BusThread::tell_connected() {
  tell([](Bus::Listener& listener) { listener.connected(); });
}

void BusThread::tell_disconnected() {
  tell([](Bus::Listener& listener) { listener.disconnected(); });
}

void BusThread::tell_received(std::string line) {
  tell([line = std::move(line)](Bus::Listener& listener) { listener.received(line); });
}

}  // namespace postrider
