#include "postrider/api/stream_token.hpp"

#include <charconv>

namespace postrider {

std::string stream_token(StreamId position) {
  return fmt::format("s{}", position);
}

Result<StreamId> parse_stream_token(std::string_view token) {
  std::int64_t position = -1;
  const char* const end = token.data() + token.size();
  if (token.size() > 1 && token.front() == 's') {
    const auto [rest, error] = std::from_chars(token.data() + 1, end, position);
    if (rest != end || error != std::errc{}) position = -1;
  }
  if (position < 0) {
    return fail(Code::invalid_argument, "\"{}\" is not a token; use one that this server gave out",
                token);
  }
  return StreamId{position};
}

}  // namespace postrider
