#pragma once

#include "postrider/api/append_queue.hpp"
#include "postrider/api/http/router.hpp"
#include "postrider/api/stream_directory.hpp"

namespace postrider {

struct PublicApiSettings {
  std::uint64_t batch_bytes_max = 16U << 20;
  std::size_t read_limit_default = 100;
  std::size_t read_limit_max = 1000;
  Duration read_wait = std::chrono::seconds{10};  ///< for what `at_least` names

  bool operator==(const PublicApiSettings&) const = default;
};

/// What producers and readers use: append, read, follow, position.
/// Everything that is passed by reference outlives the server.
void add_public_routes(HttpRouter& router, Engine& engine, StreamDirectory& streams,
                       AppendQueue& appends, PublicApiSettings settings);

}  // namespace postrider
