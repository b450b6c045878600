#include "postrider/api/stream_directory.hpp"

#include <mutex>

#include "postrider/api/engine_call.hpp"

namespace postrider {

Async<Result<Stream*>> StreamDirectory::find(std::string name) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = streams_.find(name);
    if (found != streams_.end()) co_return found->second;
  }
  CO_TRY(Stream* const stream,
         co_await on_engine(engine_.runtime(), engine_.streams().find_or_create(name)));
  const std::unique_lock lock(mutex_);
  streams_.emplace(std::move(name), stream);
  co_return stream;
}

}  // namespace postrider
