#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "sim/history/context.hpp"

namespace postrider::sim {

/// Those who register services, change, pause, resume and delete them, and try them again.
class Operators {
 public:
  Operators(Context& context, Random random) : context_(context), random_(random) {}

  void start();
  /// Faults have stopped: resumes every service until it is.
  void resume_all();
  /// Another process delivers now: what the one before was asked for may have happened or not.
  void hand_over();
  /// True when nothing that they asked for is under way.
  [[nodiscard]] bool finished() const { return open_.empty() && to_resume_.empty(); }

 private:
  void act();
  void resume_stopped();
  void act_on(const std::string& id);
  PlainService draw_service(const std::string& id);
  PlainRegistration draw_registration(const std::string& id);
  PlainWebhook draw_webhook();
  void put(const std::string& id);
  void remove(const std::string& id);
  void set_paused(const std::string& id, bool paused);
  void tell_judge(const std::string& id, bool paused);
  void retry(const std::string& id);
  void resume_later(const std::string& id);
  [[nodiscard]] std::map<std::string, StreamId> sorted_positions();
  [[nodiscard]] std::map<std::string, StreamId> begun_positions();
  /// Nothing is known of the change until it is answered. `doubt`: what may happen to the
  /// registration; empty when it stays as it is.
  void begin(const std::string& id, std::optional<DoubtfulChange> doubt);
  void end(const std::string& id, bool forgets_failures);
  /// What was asked for may have happened.
  void doubt(const std::string& id);
  /// Asks the process that delivers. `answered` gets nothing when it ended first, and is not called
  /// when another one delivers by then.
  template <class T>
  void ask(Async<Result<T>> question, std::function<void(const Result<T>*)> answered);

  Context& context_;
  Random random_;
  /// One change of a service at a time, so that its place is known.
  std::map<std::string, std::optional<DoubtfulChange>> open_;
  std::uint64_t deliverers_ = 0;
  std::set<std::string> to_resume_;
  std::set<std::string> paused_;  ///< by an operator, and not by what the receiver answered
};

}  // namespace postrider::sim
