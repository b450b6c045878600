#include "postrider/runtime/gate.hpp"

#include <exception>
#include <string>

#include <boost/asio/co_spawn.hpp>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

void end_process_on(const std::exception_ptr& exception, std::string_view name) {
  if (!exception) return;
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    POSTRIDER_ASSERT(false, "exception left task {}: {}", name, error.what());
  }
}

}  // namespace

void Gate::spawn(Async<void> task, std::string_view name) {
  ++running_;
  boost::asio::co_spawn(runtime_.executor(), std::move(task),
                        [this, name = std::string(name)](const std::exception_ptr& exception) {
                          end_process_on(exception, name);
                          --running_;
                          if (running_ == 0) changed_.notify_all();
                        });
}

Async<void> Gate::drained() {
  while (running_ > 0) co_await changed_.wait();
}

}  // namespace postrider
