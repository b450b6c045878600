#include "postrider/app/serve/serve.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <unistd.h>

#include "postrider/app/cli/exit_code.hpp"
#include "postrider/app/config/random_bytes.hpp"
#include "postrider/app/config/registration_files.hpp"
#include "postrider/app/config/settings_loader.hpp"
#include "postrider/app/config/token_file.hpp"
#include "postrider/app/serve/descriptor_budget.hpp"
#include "postrider/app/serve/server.hpp"
#include "postrider/base/background_log.hpp"
#include "postrider/base/log.hpp"
#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

int report(const ConfigErrors& errors) {
  for (const ConfigError& error : errors) fmt::print(stderr, "{}\n", format_config_error(error));
  return static_cast<int>(ExitCode::bad_input);
}

int report(const Error& error) {
  fmt::print(stderr, "postrider: {}\n", error.detail);
  return static_cast<int>(ExitCode::failed);
}

/// Blocked before any thread starts, so that only `wait_for_stop` sees them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

Result<void> complete_tokens(Settings& settings) {
  if (!settings.tokens.admin.empty() && !settings.tokens.producers.empty()) return {};
  const std::string path = token_file_path(settings);
  TRY(const LoadedTokens loaded, load_or_create_token_file(path, system_random_bytes));
  if (settings.tokens.admin.empty()) settings.tokens.admin = loaded.tokens.admin;
  if (settings.tokens.producers.empty()) settings.tokens.producers = {loaded.tokens.producer};
  if (loaded.created) {
    fmt::print(
        stderr,
        "No tokens are configured. These were made, are shown this once, and are kept in {}:\n"
        "  admin token:    {}\n  producer token: {}\n",
        path, loaded.tokens.admin, loaded.tokens.producer);
  }
  return {};
}

std::string or_none(const std::string& text, std::string_view hint) {
  return text.empty() ? fmt::format("none; {}", hint) : text;
}

/// Somebody who just starts it learns what it does and where everything is.
void print_defaults(const Settings& settings) {
  std::string streams;
  for (const auto& [name, stream] : settings.engine.streams.declared) {
    streams += (streams.empty() ? "" : ", ") + name;
  }
  if (settings.engine.streams.auto_create) streams += streams.empty() ? "made by appends" : ", …";
  std::string database = settings.database;
  if (!is_postgres(database))
    database = std::filesystem::absolute(database_file(settings)).lexically_normal();
  fmt::print(stderr,
             "No configuration: ./postrider.yaml is not there and --config names none. Defaults:\n"
             "  database:        {}\n"
             "  producers:       http://{}\n"
             "  operators:       http://{}\n"
             "  streams:         {}\n"
             "  local receivers: {}\n",
             database, settings.public_listen, settings.admin_listen,
             or_none(streams, "declare them under streams, or set append.auto_create_streams"),
             or_none(fmt::format("{}", fmt::join(settings.outbound_allow, ", ")),
                     "outbound.allow: [127.0.0.0/8] lets them in"));
}

/// Waits for a database that is away, until a signal comes or it takes too long.
class DatabaseWait {
 public:
  DatabaseWait(sigset_t signals, Duration longest) : signals_(signals), longest_(longest) {}

  /// Whether to try again.
  bool operator()(const Error& error) {
    const auto now = std::chrono::steady_clock::now();
    if (!ends_at_) ends_at_ = now + longest_;
    if (now >= *ends_at_) return false;
    if (std::exchange(said_, error.detail) != error.detail) {
      log_warn("{}; the start waits for it, up to start.database_wait ({})", error.detail,
               format_duration(longest_));
    }
    constexpr timespec pause{.tv_sec = 0, .tv_nsec = 500'000'000};
    is_interrupted_ = sigtimedwait(&signals_, nullptr, &pause) > 0;
    return !is_interrupted_;
  }
  [[nodiscard]] bool is_interrupted() const { return is_interrupted_; }

 private:
  sigset_t signals_;
  Duration longest_;
  std::optional<std::chrono::steady_clock::time_point> ends_at_;
  std::string said_;
  bool is_interrupted_ = false;
};

void print_ready(const Server& server) {
  fmt::print("{{\"ready\":true,\"public\":\"{}\",\"admin\":\"{}\",\"pid\":{}}}\n",
             server.public_address(), server.admin_address(), getpid());
  std::fflush(stdout);
}

/// The last lines are worth waiting for, unless nobody reads them. Then the process ends here: what
/// runs at an exit would wait until the line that is being written is read.
void finish_log(ExitCode code) {
  constexpr std::chrono::milliseconds pause{5};
  const auto is_read = [] {
    pollfd out{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    return log_lines_waiting() == 0 && poll(&out, 1, 0) == 1;
  };
  // A line that has left the queue may not be written yet, hence twice.
  int seen = 0;
  for (int tries = 200; tries > 0; --tries) {
    seen = is_read() ? seen + 1 : 0;
    if (seen == 2) return;
    std::this_thread::sleep_for(pause);
  }
  std::_Exit(static_cast<int>(code));
}

}  // namespace

int serve(const std::string& config_path, const ServeOptions& options) {
  auto settings = load_settings(config_path, options.environment);
  if (!settings) return report(settings.error());
  const Catalog catalog(settings->engine.catalog);
  ServiceRegistry::Receivers services;
  const auto documents =
      load_registrations(*settings, [&](const boost::json::value& document) -> Result<void> {
        TRY(auto receiver, catalog.kinds().parse(document));
        services.push_back(std::move(receiver));
        return {};
      });
  if (!documents) return report(documents.error());

  if (config_path.empty()) print_defaults(*settings);
  set_log(settings->log.level, settings->log.format);
  const sigset_t signals = block_stop_signals();
  write_log_in_background();
  fit_descriptor_limit(*settings);
  if (const auto tokens = complete_tokens(*settings); !tokens) return report(tokens.error());
  DatabaseWait wait(signals, settings->start_database_wait);
  auto server = Server::start(*settings, std::move(services), std::ref(wait));
  if (wait.is_interrupted()) {
    log_info("stopped before the database was there");
    finish_log(ExitCode::ok);
    return static_cast<int>(ExitCode::ok);
  }
  if (!server) {
    finish_log(ExitCode::failed);
    return report(server.error());
  }
  print_ready(**server);
  log_info("public API on http://{}, admin API on http://{}", (*server)->public_address(),
           (*server)->admin_address());

  int signal = 0;
  sigwait(&signals, &signal);
  log_info("stopping; another signal ends it at once");
  // What hangs, a database that does not answer say, must not keep somebody who insists.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  (*server)->stop();
  log_info("stopped");
  server->reset();
  finish_log(ExitCode::ok);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace postrider
