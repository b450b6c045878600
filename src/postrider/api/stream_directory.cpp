#include "postrider/api/stream_directory.hpp"

#include <mutex>

#include "postrider/api/engine_call.hpp"

namespace postrider {

Stream* StreamDirectory::known(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = streams_.find(name);
  return found == streams_.end() ? nullptr : found->second;
}

Async<Result<Stream*>> StreamDirectory::find(std::string name) {
  if (Stream* const found = known(name)) co_return found;
  CO_TRY(Stream* const stream,
         co_await on_engine(engine_.runtime(), engine_.streams().find_or_create(name)));
  const std::unique_lock lock(mutex_);
  streams_.emplace(std::move(name), stream);
  co_return stream;
}

}  // namespace postrider
