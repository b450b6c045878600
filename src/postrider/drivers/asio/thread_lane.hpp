#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "postrider/runtime/lane.hpp"

namespace postrider {

/// A lane with a thread of its own. The destructor runs what is queued, then joins.
class ThreadLane final : public Lane {
 public:
  /// `name` (at most 15 characters) is what `top -H` and debuggers show.
  ThreadLane(boost::asio::any_io_executor engine, const std::string& name);
  ~ThreadLane() override;

  void post(std::move_only_function<void()> work, std::move_only_function<void()> done) override;

 private:
  struct Item {
    std::move_only_function<void()> work;
    std::move_only_function<void()> done;
  };
  void run();

  boost::asio::any_io_executor engine_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> queue_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace postrider
