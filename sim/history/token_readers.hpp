#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/history/context.hpp"

namespace postrider::sim {

/// Reads every stream of a fleet on from its token, each time at any process, as far as that knows
/// of anything: ahead of the linear order too. Every fact comes once.
class TokenReaders {
 public:
  TokenReaders(Context& context, Random random) : context_(context), random_(random) {}

  void start();
  /// The first fact that was answered and has not come, and was not dropped before; empty when
  /// there is none.
  [[nodiscard]] std::string missing() const;

 private:
  struct Cursor {
    PositionVector position;
    std::set<std::int64_t> numbers;  ///< of the facts that came
    bool has_missed = false;         ///< what was dropped
  };
  struct Page {
    std::vector<Chunk> chunks;
    PositionVector through;
  };
  static Async<Result<Page>> read_page(Engine* engine, std::string stream, PositionVector after);
  void read(const std::string& stream);
  void take(const std::string& stream, const Page& page);
  void skip_dropped(const std::string& stream);

  Context& context_;
  Random random_;
  std::map<std::string, Cursor> cursors_;
};

}  // namespace postrider::sim
