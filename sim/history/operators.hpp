#pragma once

#include <map>
#include <set>
#include <string>

#include "sim/history/context.hpp"

namespace postrider::sim {

/// The registration as the engine takes it.
Registration registration_of(const std::string& id, const PlainRegistration& plain, bool pushed);
/// The reverse, for what lies on the disk.
PlainRegistration plain_of(const Registration& registration);

/// Those who register services, change, pause, resume and delete them, and try them again.
class Operators {
 public:
  Operators(Context& context, Random random) : context_(context), random_(random) {}

  void start();
  /// Faults have stopped: resumes every service until it is.
  void resume_all();
  /// True when nothing that they asked for is under way.
  [[nodiscard]] bool finished() const { return busy_.empty() && to_resume_.empty(); }

 private:
  void act();
  void act_on(const std::string& id);
  PlainRegistration draw_registration(const std::string& id);
  void put(const std::string& id);
  void remove(const std::string& id);
  void set_paused(const std::string& id, bool paused);
  void tell_judge(const std::string& id, bool paused);
  void retry(const std::string& id);
  void resume_later(const std::string& id);
  [[nodiscard]] std::map<std::string, StreamId> sorted_positions();
  [[nodiscard]] std::map<std::string, StreamId> linear_positions();
  void begin(const std::string& id);
  void end(const std::string& id, bool forgets_failures);

  Context& context_;
  Random random_;
  std::set<std::string> busy_;  ///< one change at a time, so that its place is known
  std::set<std::string> to_resume_;
};

}  // namespace postrider::sim
