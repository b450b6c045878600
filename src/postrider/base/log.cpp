#include "postrider/base/log.hpp"

#include <memory>
#include <string>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

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

void log_line(LogLevel level, std::string_view message) {
  Logger& out = logger();
  if (!out.sink->should_log(spdlog_level(level))) return;
  out.sink->log(spdlog_level(level), "{}",
                out.format == LogFormat::json ? json_string(message) : std::string(message));
}

}  // namespace postrider
