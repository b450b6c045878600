#include "sim/world/virtual_runtime.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

namespace postrider::sim {
namespace asio = boost::asio;

/// What Asio needs to know to run coroutines here.
class VirtualRuntime::Executor {
 public:
  explicit Executor(VirtualRuntime& runtime) : runtime_(&runtime) {}

  bool operator==(const Executor&) const noexcept = default;
  [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept {
    return *runtime_->context_;
  }
  static constexpr asio::execution::blocking_t::never_t query(
      asio::execution::blocking_t) noexcept {
    return {};
  }
  template <class Function>
  void execute(Function&& function) const {
    runtime_->post(Task(std::forward<Function>(function)));
  }

 private:
  VirtualRuntime* runtime_;
};

VirtualRuntime::VirtualRuntime()
    : own_timeline_(std::make_unique<Timeline>()),
      timeline_(*own_timeline_),
      chance_(0),
      context_(std::make_unique<asio::execution_context>()) {
  timeline_.runtimes_.push_back(this);
}

VirtualRuntime::VirtualRuntime(Timeline& timeline, Random chance)
    : timeline_(timeline), chance_(chance), context_(std::make_unique<asio::execution_context>()) {
  timeline_.runtimes_.push_back(this);
}

VirtualRuntime::~VirtualRuntime() {
  end();
  std::erase(timeline_.runtimes_, this);
}

asio::any_io_executor VirtualRuntime::executor() {
  return Executor(*this);
}

Runtime::TimerId VirtualRuntime::call_at(MonoTime when, std::move_only_function<void()> callback) {
  if (ended_) return 0;
  return timers_.add(when, std::move(callback));
}

bool VirtualRuntime::cancel(TimerId timer) {
  return timers_.cancel(timer);
}

void VirtualRuntime::post(Task task) {
  if (!ended_) ready_.push_back(std::move(task));
}

void VirtualRuntime::end() {
  ended_ = true;
  // What is destroyed here may post, which destroys that too.
  const auto tasks = std::exchange(ready_, {});
  const TimerQueue timers = std::exchange(timers_, {});
}

void InlineLane::post(std::move_only_function<void()> work, std::move_only_function<void()> done) {
  runtime_.post([work = std::move(work), done = std::move(done)]() mutable {
    work();
    done();
  });
}

}  // namespace postrider::sim
