#include "postrider/runtime/yield.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace postrider {

Async<void> yield(Runtime& runtime) {
  co_await boost::asio::post(runtime.executor(), boost::asio::use_awaitable);
}

}  // namespace postrider
