#include "sim/world/slow_lane.hpp"

#include <utility>

namespace postrider::sim {

void SlowLane::post(std::move_only_function<void()> work, std::move_only_function<void()> done) {
  jobs_.push_back({std::move(work), std::move(done)});
  if (jobs_.size() == 1) begin_next();
}

void SlowLane::begin_next() {
  const MonoTime end = runtime_.now() + random_.heavy_tail(pace_.typical, pace_.max);
  runtime_.call_at(end, [this] {
    Job job = std::move(jobs_.front());
    job.work();
    runtime_.post(std::move(job.done));
    jobs_.pop_front();
    if (!jobs_.empty()) begin_next();
  });
}

}  // namespace postrider::sim
