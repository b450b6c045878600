#include "postrider/drivers/asio/thread_lane.hpp"

#include <boost/asio/post.hpp>
#include <pthread.h>

namespace postrider {

ThreadLane::ThreadLane(boost::asio::any_io_executor engine, const std::string& name)
    : engine_(std::move(engine)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

ThreadLane::~ThreadLane() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void ThreadLane::post(std::move_only_function<void()> work, std::move_only_function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(work), std::move(done)});
  }
  changed_.notify_one();
}

void ThreadLane::run() {
  while (true) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Item item = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    item.work();
    boost::asio::post(engine_, std::move(item.done));
  }
}

}  // namespace postrider
