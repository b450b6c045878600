#include "postrider/app/receive/receiver.hpp"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include <unistd.h>

#include "postrider/api/http/http_server.hpp"
#include "postrider/api/http/pause.hpp"
#include "postrider/app/receive/received_transaction.hpp"
#include "postrider/base/assert.hpp"
#include "postrider/base/log.hpp"

namespace postrider {
namespace {

constexpr std::uint64_t body_bytes_max = 256ULL * 1024 * 1024;
constexpr std::string_view right_signature = "right";
// As the libraries of Standard Webhooks have it.
constexpr auto timestamp_tolerance = std::chrono::minutes{5};
constexpr std::int64_t max_timestamp = 253'402'300'799;  // the end of the year 9999
constexpr Duration stop_grace = std::chrono::seconds{5};

void print_to_standard_output(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

bool is_turn(std::uint64_t number, std::uint64_t every) {
  return every != 0 && number % every == 0;
}

HttpServerResponse matrix_error(int status, std::string_view code, std::string_view text) {
  return json_response(status, fmt::format(R"({{"errcode":"{}","error":"{}"}})", code, text));
}

HttpServerSettings server_settings(const ListenAddress& listen) {
  HttpServerSettings settings;
  settings.address = listen.address;
  settings.port = listen.port;
  return settings;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

/// Everything but `open` and `ready` on the server's one thread.
class TrialReceiver::Desk {
 public:
  explicit Desk(ReceiverSettings settings);

  Result<void> open();
  void ready();

 private:
  Async<HttpServerResponse> receive(HttpServerRequest& request);
  [[nodiscard]] std::string check_signature(const HttpServerRequest& request, WallTime now) const;
  [[nodiscard]] std::optional<HttpServerResponse> refusal(const HttpServerRequest& request) const;
  /// The status that the request's turn asks for; 0 to drop it.
  [[nodiscard]] int status_of(std::uint64_t number) const;
  HttpServerResponse finish(ReceivedTransaction& transaction, std::string_view body);
  void print(const ReceivedTransaction& transaction, std::string_view body);
  bool log(const ReceivedTransaction& transaction, std::string_view body);
  HttpRouter router();

  ReceiverSettings settings_;
  std::unique_ptr<std::FILE, CloseFile> log_;
  std::uint64_t request_count_ = 0;
  std::unordered_map<std::string, std::string> last_id_;  ///< by path, of what was processed

 public:
  HttpServer server;  ///< last, so that it stops before what its thread uses goes
};

TrialReceiver::Desk::Desk(ReceiverSettings settings)
    : settings_(std::move(settings)),
      server(server_settings(settings_.listen), router(), BearerTokens()) {
  POSTRIDER_ASSERT(settings_.wall_now != nullptr, "a receiver needs a clock");
  if (!settings_.print) settings_.print = print_to_standard_output;
}

HttpRouter TrialReceiver::Desk::router() {
  const auto handler = [this](HttpServerRequest& request) { return receive(request); };
  HttpRouter router;
  router.add({"PUT", "/{transaction*}", Role::none, body_bytes_max, handler});
  router.add({"POST", "/{transaction*}", Role::none, body_bytes_max, handler});
  router.add({"POST", "/", Role::none, body_bytes_max, handler});
  return router;
}

Result<void> TrialReceiver::Desk::open() {
  if (settings_.fail_status < 300 || settings_.fail_status > 599) {
    return fail(Code::invalid_argument,
                "the status of failing requests is {}: choose one from 300 to 599",
                settings_.fail_status);
  }
  if (settings_.log_file.empty()) return {};
  log_.reset(std::fopen(settings_.log_file.c_str(), "ab"));
  if (log_ != nullptr) return {};
  return fail(Code::invalid_argument, "cannot append to the log file {}: {}", settings_.log_file,
              std::strerror(errno));
}

void TrialReceiver::Desk::ready() {
  const std::string address = server.address();
  settings_.print(settings_.json ? fmt::format("{{\"listen\":\"{}\"}}\n", address)
                                 : fmt::format("receiving on http://{} (Ctrl-C stops)\n", address));
}

std::optional<HttpServerResponse> TrialReceiver::Desk::refusal(
    const HttpServerRequest& request) const {
  if (settings_.hs_token.empty()) return std::nullopt;
  const auto header = request.header("Authorization");
  const auto token = header ? bearer_token(*header) : request.query_parameter("access_token");
  if (!token) return matrix_error(401, "M_MISSING_TOKEN", "no hs_token was sent");
  if (*token == settings_.hs_token) return std::nullopt;
  return matrix_error(403, "M_FORBIDDEN", "the hs_token is another");
}

/// What is to be said of the signature of a webhook; empty when there is nothing to check.
std::string TrialReceiver::Desk::check_signature(const HttpServerRequest& request,
                                                 WallTime now) const {
  const auto id = request.header("webhook-id");
  if (!settings_.secret) return id ? "not checked" : "";
  const auto timestamp = request.header("webhook-timestamp");
  const auto signature = request.header("webhook-signature");
  if (!id || !timestamp || !signature) return "missing";
  std::int64_t seconds = 0;
  const auto parsed =
      std::from_chars(timestamp->data(), timestamp->data() + timestamp->size(), seconds);
  const bool is_number =
      parsed.ec == std::errc() && parsed.ptr == timestamp->data() + timestamp->size();
  if (!is_number || seconds < 0 || seconds > max_timestamp) return "of no time";
  if (!settings_.secret->verify(*id, *timestamp, request.body, *signature)) return "wrong";
  const auto sent_at = WallTime(std::chrono::seconds(seconds));
  const bool is_recent =
      sent_at >= now - timestamp_tolerance && sent_at <= now + timestamp_tolerance;
  return is_recent ? std::string(right_signature) : "too old or too new";
}

int TrialReceiver::Desk::status_of(std::uint64_t number) const {
  if (is_turn(number, settings_.drop_every)) return 0;
  const bool fails = number <= settings_.fail_first || is_turn(number, settings_.fail_every);
  return fails ? settings_.fail_status : 200;
}

Async<HttpServerResponse> TrialReceiver::Desk::receive(HttpServerRequest& request) {
  ReceivedTransaction transaction = received_transaction(request, settings_.wall_now());
  transaction.signature = check_signature(request, transaction.received_at);
  auto refused = refusal(request);
  if (settings_.secret && transaction.signature != right_signature) {
    refused = json_response(401, R"({"error":"the signature is )" + transaction.signature + "\"}");
  }
  if (refused) {
    transaction.status = refused->status;
    print(transaction, request.body);
    co_return *std::move(refused);
  }
  transaction.status = status_of(++request_count_);
  if (settings_.delay > Duration::zero()) co_await pause(settings_.delay);
  co_return finish(transaction, request.body);
}

HttpServerResponse TrialReceiver::Desk::finish(ReceivedTransaction& transaction,
                                               std::string_view body) {
  const bool is_processed = transaction.status == 0 || transaction.status == 200;
  if (is_processed && !transaction.is_ping) {
    std::string& last = last_id_[transaction.path];
    transaction.is_repeated = last == transaction.id;
    last = transaction.id;
  }
  if (!log(transaction, body)) {
    log_error("cannot write to {}: {}", settings_.log_file, std::strerror(errno));
    transaction.status = 500;
  }
  print(transaction, body);
  HttpServerResponse response = json_response(transaction.status, "{}");
  response.close_without_answer = transaction.status == 0;
  if (!is_processed) return matrix_error(transaction.status, "M_UNKNOWN", "told to fail");
  return response;
}

bool TrialReceiver::Desk::log(const ReceivedTransaction& transaction, std::string_view body) {
  if (log_ == nullptr) return true;
  const std::string line = log_line_of(transaction, body);
  return std::fwrite(line.data(), 1, line.size(), log_.get()) == line.size() &&
         std::fflush(log_.get()) == 0;
}

void TrialReceiver::Desk::print(const ReceivedTransaction& transaction, std::string_view body) {
  if (settings_.quiet) return;
  settings_.print(settings_.json ? json_line_of(transaction, body)
                                 : text_line_of(transaction, body, settings_.colour));
}

TrialReceiver::TrialReceiver(ReceiverSettings settings)
    : desk_(std::make_unique<Desk>(std::move(settings))) {}

TrialReceiver::~TrialReceiver() = default;

Result<void> TrialReceiver::start() {
  TRY_VOID(desk_->open());
  TRY_VOID(desk_->server.start());
  desk_->ready();
  return {};
}

std::uint16_t TrialReceiver::port() const {
  return desk_->server.port();
}

void TrialReceiver::stop(Duration grace) {
  desk_->server.stop(grace);
}

Result<int> run_receiver(ReceiverSettings settings, const std::function<void()>& wait_for_stop) {
  settings.colour = ::isatty(STDOUT_FILENO) == 1;
  TrialReceiver receiver(std::move(settings));
  TRY_VOID(receiver.start());
  wait_for_stop();
  receiver.stop(stop_grace);
  return 0;
}

}  // namespace postrider
