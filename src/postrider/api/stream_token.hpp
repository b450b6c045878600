#pragma once

#include <string>
#include <string_view>

#include "postrider/base/result.hpp"
#include "postrider/base/strong.hpp"

namespace postrider {

/// The text form of a position, opaque to clients: `s` and the linear position. Other first letters
/// are for vectors over several writers.
std::string stream_token(StreamId position);
Result<StreamId> parse_stream_token(std::string_view token);

}  // namespace postrider
