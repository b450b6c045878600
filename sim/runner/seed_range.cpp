#include "sim/runner/seed_range.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "postrider/base/assert.hpp"
#include "sim/runner/report_line.hpp"

namespace postrider::sim {
namespace {

constexpr int jobs_max = 64;
constexpr int bar_width = 40;
// Of processor time. A history takes tens of milliseconds, under sanitizers a second.
constexpr time_t history_seconds_max = 60;
constexpr useconds_t progress_interval_us = 200'000;

/// In memory that all processes share.
struct Shared {
  std::atomic<std::uint64_t> next;
  std::atomic<std::uint64_t> done;
  std::atomic<std::uint64_t> broken;
  std::atomic<bool> stops;
  std::array<std::atomic<std::uint64_t>, jobs_max> running;  ///< the seed of each job
  std::array<std::atomic<std::int64_t>, 7> totals;           ///< in the order of `Counts`
};

/// Ends this process with SIGPROF when the history that begins now never ends.
void limit_history() {
  const itimerval limit{.it_interval = {},
                        .it_value = {.tv_sec = history_seconds_max, .tv_usec = 0}};
  setitimer(ITIMER_PROF, &limit, nullptr);
}

std::string cause_of(int status) {
  if (!WIFSIGNALED(status)) return fmt::format("status {}", WEXITSTATUS(status));
  if (WTERMSIG(status) == SIGPROF) return fmt::format("no end within {} s", history_seconds_max);
  return fmt::format("signal {}", WTERMSIG(status));
}

void write_out(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

class RangeRun {
 public:
  explicit RangeRun(const SeedRange& range) : range_(range) {
    void* const memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    POSTRIDER_ASSERT(memory != MAP_FAILED, "no shared memory: {}", std::strerror(errno));
    shared_ = new (memory) Shared{};
    shared_->next = range.first;
  }
  RangeRun(const RangeRun&) = delete;
  RangeRun& operator=(const RangeRun&) = delete;
  ~RangeRun() { munmap(shared_, sizeof(Shared)); }

  RangeResult run() {
    for (std::size_t job = 0; job < static_cast<std::size_t>(range_.jobs); ++job) start(job);
    while (alive_ > 0) {
      wait_for_one();
      if (shows_progress_) show_progress();
    }
    if (shows_progress_) fmt::print(stderr, "\n");
    print_summary();
    return {shared_->done, shared_->broken};
  }

 private:
  void start(std::size_t job) {
    std::fflush(nullptr);
    const pid_t child = fork();
    POSTRIDER_ASSERT(child >= 0, "no process: {}", std::strerror(errno));
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      work(job);
      std::exit(0);
    }
    children_.at(job) = child;
    ++alive_;
  }

  void work(std::size_t job) {
    while (!shared_->stops) {
      const std::uint64_t seed = shared_->next.fetch_add(1);
      if (seed > range_.last) return;
      shared_->running.at(job) = seed;
      limit_history();
      count(range_.twice ? run_twice(seed, range_.scenario)
                         : run_history(seed, range_.scenario, false));
    }
  }

  void count(const Report& report) {
    const Counts& counts = report.counts;
    const std::array values = {counts.facts,      counts.transactions,   counts.retries,
                               counts.crashes,    counts.network_faults, counts.disk_faults,
                               counts.lost_writes};
    for (std::size_t i = 0; i < values.size(); ++i) shared_->totals.at(i) += values.at(i);
    if (report.verdict) {
      // One write each: the lines of two processes do not mix.
      write_out(line_of(report));
      note_broken();
    }
    ++shared_->done;
  }

  void note_broken() {
    ++shared_->broken;
    if (range_.stops_when_broken) shared_->stops = true;
  }

  void wait_for_one() {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, shows_progress_ ? WNOHANG : 0);
    if (ended <= 0) {
      usleep(progress_interval_us);
      return;
    }
    --alive_;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    for (std::size_t job = 0; job < children_.size(); ++job) {
      if (children_.at(job) == ended) went_down(job, status);
    }
  }

  void went_down(std::size_t job, int status) {
    const std::uint64_t seed = shared_->running.at(job);
    write_out(fmt::format("seed {} {}: BROKEN ended by {}\n{}", seed, range_.scenario,
                          cause_of(status), replay_command(seed, range_.scenario)));
    ++shared_->done;
    note_broken();
    start(job);
  }

  void show_progress() {
    const std::uint64_t all = range_.last - range_.first + 1;
    const auto filled = static_cast<std::size_t>(shared_->done * bar_width / all);
    fmt::print(stderr, "\r{} [{:<{}}] {} of {}, {} broken ", range_.scenario,
               std::string(filled, '#'), bar_width, shared_->done.load(), all,
               shared_->broken.load());
    std::fflush(stderr);
  }

  void print_summary() {
    const auto total = [this](std::size_t i) { return shared_->totals.at(i).load(); };
    write_out(
        fmt::format("{} histories of {}, {} broken: {} facts, {} transactions, {} retries, {}"
                    " crashes, {} network faults, {} disk faults, {} lost writes\n",
                    shared_->done.load(), range_.scenario, shared_->broken.load(), total(0),
                    total(1), total(2), total(3), total(4), total(5), total(6)));
  }

  const SeedRange& range_;
  Shared* shared_;
  std::array<pid_t, jobs_max> children_{};
  int alive_ = 0;
  bool shows_progress_ = isatty(STDERR_FILENO) == 1;
};

}  // namespace

RangeResult run_range(const SeedRange& range) {
  POSTRIDER_ASSERT(range.jobs >= 1 && range.jobs <= jobs_max, "{} jobs", range.jobs);
  return RangeRun(range).run();
}

}  // namespace postrider::sim
