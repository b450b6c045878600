#include "postrider/app/cli/fact_follower.hpp"

#include <algorithm>
#include <optional>
#include <ostream>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "postrider/app/cli/sse_parser.hpp"

namespace postrider {
namespace {

constexpr Duration pause_min = std::chrono::seconds{1};
constexpr Duration pause_max = std::chrono::seconds{10};

/// What one connection has brought so far.
struct Progress {
  SseParser parser = {};
  std::string token;
  bool brought_facts = false;
  bool enough = false;
  std::optional<Error> error = std::nullopt;
};

/// What the server says of facts that it cannot read.
std::string unreadable_detail(std::string_view data) {
  boost::json::error_code error;
  const boost::json::value body = boost::json::parse(data, error);
  const boost::json::value* detail =
      !error && body.is_object() ? body.get_object().if_contains("detail") : nullptr;
  if (detail == nullptr || !detail->is_string()) return "the server left out facts";
  return std::string(detail->get_string());
}

bool take_part(std::string_view part, const std::function<bool(const ReadFact&)>& take,
               std::ostream& warnings, Progress& progress) {
  for (const SseMessage& message : progress.parser.feed(part)) {
    if (message.name == "unreadable") {
      warnings << "postrider: " << unreadable_detail(message.data) << '\n' << std::flush;
      progress.token = message.id;
    }
    if (!message.name.empty() && message.name != "fact") continue;
    const Result<ReadFact> fact = parse_read_fact(message.data);
    if (!fact) {
      progress.error = fact.error();
      return false;
    }
    progress.brought_facts = true;
    if (!message.id.empty()) progress.token = message.id;
    if (!take(*fact)) {
      progress.enough = true;
      return false;
    }
  }
  return true;
}

}  // namespace

Result<void> FactFollower::run(std::string token,
                               const std::function<bool(const ReadFact&)>& take) {
  Duration pause = pause_min;
  while (true) {
    Progress progress{.token = token};
    ApiRequest request;
    request.url = path_;
    request.timeout = Duration::zero();
    request.headers.emplace_back("Accept", "text/event-stream");
    if (!token.empty()) request.headers.emplace_back("Last-Event-ID", token);
    request.on_body = [this, &take, &progress](std::string_view part) {
      return take_part(part, take, context_.terminal.err, progress);
    };
    const Result<ApiAnswer> answer = client_.send(request);
    if (progress.enough) return {};
    if (progress.error) return std::unexpected(*progress.error);
    const bool broke = answer || answer.error().code == Code::connection_failed ||
                       answer.error().code == Code::overloaded;
    if (!broke) return std::unexpected(answer.error());
    token = progress.token;
    if (progress.brought_facts) pause = pause_min;
    if (!context_.pause(pause)) return fail(Code::stopping, "interrupted");
    pause = std::min(pause * 2, pause_max);
  }
}

Result<std::string> parse_position(std::string_view text) {
  boost::json::error_code error;
  const boost::json::value body = boost::json::parse(text, error);
  if (!error && body.is_object()) {
    const boost::json::value* token = body.get_object().if_contains("token");
    if (token != nullptr && token->is_string()) return std::string(token->get_string());
  }
  return fail(Code::bad_status, "the answer is not one of Postrider: it has no token");
}

}  // namespace postrider
