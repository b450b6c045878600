#include "postrider/base/log.hpp"

#include <atomic>
#include <memory>
#include <string>

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "postrider/base/background_log.hpp"

namespace postrider {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::err;
}

struct Logger {
  Logger() : sink(spdlog::stderr_color_mt("postrider")) {
    sink->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  }
  std::shared_ptr<spdlog::logger> sink;
  LogFormat format = LogFormat::text;
  /// Never destroyed: its thread may wait for a reader that never comes.
  std::shared_ptr<spdlog::details::thread_pool>* background = nullptr;
  std::atomic<std::uint64_t> dropped_told = 0;  ///< lines, of which the log has said so
};

Logger& logger() {
  static Logger instance;
  return instance;
}

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

void set_log(LogLevel least, LogFormat format) {
  logger().sink->set_level(spdlog_level(least));
  logger().format = format;
  if (format == LogFormat::json) {
    logger().sink->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})",
                               spdlog::pattern_time_type::utc);
  }
}

void write_log_in_background() {
  Logger& out = logger();
  out.background = new std::shared_ptr<spdlog::details::thread_pool>(
      std::make_shared<spdlog::details::thread_pool>(log_lines_waiting_max, 1));
  const auto& sinks = out.sink->sinks();
  const auto queued = std::make_shared<spdlog::async_logger>(
      out.sink->name(), sinks.begin(), sinks.end(), *out.background,
      spdlog::async_overflow_policy::overrun_oldest);
  queued->set_level(out.sink->level());
  out.sink = queued;
}

std::size_t log_lines_waiting() {
  const auto* const background = logger().background;
  return background == nullptr ? 0 : (*background)->queue_size();
}

std::uint64_t log_lines_dropped() {
  const auto* const background = logger().background;
  return background == nullptr ? 0 : (*background)->overrun_counter();
}

namespace {

void write_line(Logger& out, LogLevel level, std::string_view message) {
  out.sink->log(spdlog_level(level), "{}",
                out.format == LogFormat::json ? json_string(message) : std::string(message));
}

/// Once lines are read again.
void tell_dropped(Logger& out) {
  const std::uint64_t dropped = log_lines_dropped();
  std::uint64_t told = out.dropped_told;
  if (dropped == told || log_lines_waiting() > log_lines_waiting_max / 2) return;
  if (!out.dropped_told.compare_exchange_strong(told, dropped)) return;  // another thread tells it
  write_line(out, LogLevel::warn,
             fmt::format("{} lines of this log are missing: nobody read it", dropped - told));
}

}  // namespace

void log_line(LogLevel level, std::string_view message) {
  Logger& out = logger();
  if (!out.sink->should_log(spdlog_level(level))) return;
  if (out.background != nullptr) tell_dropped(out);
  write_line(out, level, message);
}

}  // namespace postrider
