#include "postrider/api/stream_directory.hpp"

#include <algorithm>
#include <mutex>

#include "postrider/api/engine_call.hpp"

namespace postrider {
namespace {

constexpr std::size_t stream_name_bytes_max = 63;

bool is_stream_name(std::string_view name) {
  const auto lower_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= stream_name_bytes_max && lower_or_digit(name.front()) &&
         std::ranges::all_of(
             name, [&](char c) { return lower_or_digit(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace

Async<Result<Stream*>> StreamDirectory::find(std::string name) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = streams_.find(name);
    if (found != streams_.end()) co_return found->second;
  }
  if (!is_stream_name(name)) {
    co_return fail(Code::not_found,
                   "\"{}\" is not a stream name: 1 to {} of a-z 0-9 _ . - beginning with a letter"
                   " or digit",
                   name, stream_name_bytes_max);
  }
  CO_TRY(Stream* const stream, co_await on_engine(engine_.runtime(), engine_.stream(name)));
  const std::unique_lock lock(mutex_);
  streams_.emplace(std::move(name), stream);
  co_return stream;
}

}  // namespace postrider
