#pragma once

#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "postrider/engine/engine.hpp"

namespace postrider {

/// Streams by name for the connections' threads. A stream that was found once is found again
/// without asking the engine thread; streams live as long as the engine.
class StreamDirectory {
 public:
  explicit StreamDirectory(Engine& engine) : engine_(engine) {}

  /// Only `name`, `format` and `key` of what it gives may be used off the engine thread.
  Async<Result<Stream*>> find(std::string name);
  /// The same for one that was found before, without waiting; null when it was not.
  [[nodiscard]] Stream* known(std::string_view name) const;

 private:
  Engine& engine_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Stream*, std::less<>> streams_;
};

}  // namespace postrider
