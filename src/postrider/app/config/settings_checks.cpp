#include "postrider/app/config/settings_checks.hpp"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "postrider/app/config/listen_address.hpp"
#include "postrider/app/config/text_file.hpp"
#include "postrider/app/config/text_rules.hpp"
#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

class Checks {
 public:
  Checks(Settings& settings, const SettingOrigins& origins, ConfigErrors& errors)
      : settings_(settings), origins_(origins), errors_(errors) {}

  void run() {
    read_admin_file();
    read_producers_file();
    check_tokens();
    check_listeners();
    check_order();
  }

 private:
  /// At the first of `paths` that was set; a default cannot be at fault alone.
  void complain(std::initializer_list<const char*> paths, std::string message) {
    for (const char* path : paths) {
      const auto origin = origins_.find(path);
      if (origin == origins_.end()) continue;
      const SettingOrigin& place = origin->second;
      errors_.push_back({place.file, place.line, place.name, std::move(message)});
      return;
    }
  }

  /// The lines of a token file that are not empty.
  std::vector<std::string> token_lines(const std::string& file, const char* path) {
    std::vector<std::string> tokens;
    const Result<std::string> content = read_text_file(file);
    if (!content) complain({path}, fmt::format("{} {}", file, content.error().detail));
    std::istringstream lines(content.value_or(""));
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      if (line.ends_with('\r')) line.pop_back();
      if (line.empty()) continue;
      const std::string fault = token_fault(line);
      if (!fault.empty()) errors_.push_back({file, number, "", fault});
      tokens.push_back(std::move(line));
    }
    if (content && tokens.empty()) complain({path}, fmt::format("{} holds no token", file));
    return tokens;
  }

  void read_admin_file() {
    TokenSection& tokens = settings_.tokens;
    if (tokens.admin_file.empty()) return;
    if (!tokens.admin.empty()) {
      complain({"tokens.admin_file"}, "tokens.admin is set too; allowed: one of the two");
      return;
    }
    const std::vector<std::string> lines = token_lines(tokens.admin_file, "tokens.admin_file");
    if (lines.size() > 1) {
      complain({"tokens.admin_file"}, fmt::format("{} holds {} lines; allowed: one token",
                                                  tokens.admin_file, lines.size()));
    }
    if (!lines.empty()) tokens.admin = lines.front();
  }

  void read_producers_file() {
    TokenSection& tokens = settings_.tokens;
    if (tokens.producers_file.empty()) return;
    for (std::string& token : token_lines(tokens.producers_file, "tokens.producers_file")) {
      tokens.producers.push_back(std::move(token));
    }
  }

  void check_tokens() {
    std::set<std::string> seen;
    for (const std::string& token : settings_.tokens.producers) {
      if (!seen.insert(token).second) {
        complain({"tokens.producers", "tokens.producers_file"},
                 "a token is here twice; keep one of the two");
      }
    }
    if (seen.contains(settings_.tokens.admin)) {
      complain({"tokens.producers", "tokens.producers_file"},
               "the admin token is among the producers' tokens; use another one");
    }
  }

  void check_listeners() {
    const auto public_address = parse_listen_address(settings_.public_listen);
    const auto admin_address = parse_listen_address(settings_.admin_listen);
    if (!public_address || !admin_address || public_address->port == 0) return;
    if (*public_address != *admin_address) return;
    complain({"admin.listen", "public.listen"},
             "public.listen and admin.listen are the same; use two ports");
  }

  void check_order() {
    const PublicApiSettings& api = settings_.public_api;
    if (api.read_limit_default > api.read_limit_max) {
      complain({"read.limit_default", "read.limit_max"},
               fmt::format("read.limit_default ({}) is over read.limit_max ({})",
                           api.read_limit_default, api.read_limit_max));
    }
    const EngineSettings& engine = settings_.engine;
    check_sizes("append.fact_bytes_max", engine.facts.fact_bytes_max, "append.batch_bytes_max",
                api.batch_bytes_max);
    check_sizes("append.batch_bytes_max", api.batch_bytes_max, "append.waiting_bytes_max",
                engine.streams.each.waiting_bytes_max);
    const ReplicationSection& bus = settings_.replication;
    if (int{!bus.redis.empty()} + int{!bus.listen.empty()} + int{!bus.connect.empty()} > 1) {
      complain({"replication.redis", "replication.listen", "replication.connect"},
               "more than one of replication.redis, listen and connect is set; allowed: one");
    }
    const FleetSettings& fleet = settings_.fleet;
    if (fleet.poll_interval * 4 > fleet.session_interval) {
      complain({"fleet.poll_interval", "fleet.session_interval"},
               fmt::format("fleet.poll_interval ({}) is over a quarter of fleet.session_interval"
                           " ({})",
                           format_duration(fleet.poll_interval),
                           format_duration(fleet.session_interval)));
    }
    const Backoff& backoff = engine.services.delivery.backoff;
    if (backoff.min > backoff.max) {
      complain({"delivery.backoff.min", "delivery.backoff.max"},
               fmt::format("delivery.backoff.min ({}) is over delivery.backoff.max ({})",
                           format_duration(backoff.min), format_duration(backoff.max)));
    }
  }

  void check_sizes(const char* small, std::uint64_t small_size, const char* large,
                   std::uint64_t large_size) {
    if (small_size <= large_size) return;
    complain({small, large}, fmt::format("{} ({}) is over {} ({})", small, format_size(small_size),
                                         large, format_size(large_size)));
  }

  Settings& settings_;
  const SettingOrigins& origins_;
  ConfigErrors& errors_;
};

}  // namespace

void check_settings(Settings& settings, const SettingOrigins& origins, ConfigErrors& errors) {
  Checks(settings, origins, errors).run();
}

}  // namespace postrider
