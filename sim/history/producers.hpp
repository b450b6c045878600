#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/history/context.hpp"

namespace postrider::sim {

/// Appends facts, and appends again, under the same key, what was not answered.
class Producers {
 public:
  Producers(Context& context, Random random) : context_(context), random_(random) {}

  void start();
  /// True when everything was sent and every keyed append was answered.
  [[nodiscard]] bool finished() const {
    return begun_ == context_.plan.workload.appends && open_ == 0;
  }

 private:
  struct Append {
    std::string stream;
    std::string body;
    std::vector<std::int64_t> numbers;
    std::optional<IdempotencyKey> key;
    bool is_refused = false;               ///< by the database, each time
    std::optional<AppendReceipt> receipt;  ///< the first
  };
  void begin_next();
  std::shared_ptr<Append> draw_append();
  PlainFact draw_fact();
  void attempt(const std::shared_ptr<Append>& append);
  void finish(const std::shared_ptr<Append>& append,
              const std::optional<Result<AppendReceipt>>& receipt);
  void answered(const Append& append, const AppendReceipt& receipt);
  void send_again_later(const std::shared_ptr<Append>& append);
  void check_failure(const Append& append, Code code);
  [[nodiscard]] Duration draw_pause();

  Context& context_;
  Random random_;
  int begun_ = 0;
  int open_ = 0;
};

/// Reads every stream from the beginning, as those do who follow it, through restarts.
class Followers {
 public:
  Followers(Context& context, Random random) : context_(context), random_(random) {}

  void start();

 private:
  void read(const std::string& stream);
  void take(const std::string& stream, StreamId after, const FactRun& run);

  Context& context_;
  Random random_;
  StreamId draw_token(const std::string& stream);

  std::map<std::string, StreamId> positions_;
};

}  // namespace postrider::sim
