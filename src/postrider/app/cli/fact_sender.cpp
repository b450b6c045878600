#include "postrider/app/cli/fact_sender.hpp"

#include <algorithm>
#include <charconv>
#include <ostream>

#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

constexpr Duration pause_min = std::chrono::milliseconds{250};
constexpr Duration pause_max = std::chrono::seconds{10};

bool may_help_again(const Error& error) {
  return error.code == Code::connection_failed || error.code == Code::deadline ||
         error.code == Code::overloaded || error.code == Code::storage_full;
}

std::string body_of(const std::vector<InputFact>& batch, std::uint64_t bytes) {
  std::string body;
  body.reserve(bytes + batch.size() + 1);
  for (const InputFact& fact : batch) {
    body += body.empty() ? '[' : ',';
    body += fact.text;
  }
  return body + ']';
}

/// "/3/type" of a batch means its fourth fact, and people look for that by its line.
void name_lines(const std::vector<InputFact>& batch, Error& error) {
  for (FieldError& field : error.fields) {
    std::size_t index = 0;
    const char* const begin = field.pointer.data() + 1;
    const char* const end = field.pointer.data() + field.pointer.size();
    if (!field.pointer.starts_with('/') || std::from_chars(begin, end, index).ec != std::errc{} ||
        index >= batch.size()) {
      continue;
    }
    field.pointer = fmt::format("line {}: {}", batch[index].line, field.pointer);
  }
}

}  // namespace

Result<void> FactSender::add(std::vector<InputFact> facts) {
  for (InputFact& fact : facts) {
    batch_bytes_ += fact.text.size();
    batch_.push_back(std::move(fact));
    if (batch_.size() >= settings_.batch_facts || batch_bytes_ >= settings_.batch_bytes) {
      TRY_VOID(send_batch());
    }
  }
  return {};
}

Result<void> FactSender::flush() {
  if (batch_.empty()) return {};
  return send_batch();
}

Result<void> FactSender::send_batch() {
  ApiRequest request;
  request.method = "POST";
  request.url = fmt::format("/v1/streams/{}/facts{}", percent_encoded(settings_.stream),
                            settings_.explain ? "?explain=true" : "");
  request.content_type = "application/json";
  request.body = body_of(batch_, batch_bytes_);
  request.headers.emplace_back("Idempotency-Key",
                               fmt::format("{}-{}", settings_.idempotency_prefix, batch_number_));
  Result<ApiAnswer> answer = send_until_answered(request);
  if (!answer) {
    Error error = std::move(answer).error();
    name_lines(batch_, error);
    const std::string lines = fmt::format("facts of lines {} to {} were not appended",
                                          batch_.front().line, batch_.back().line);
    return std::unexpected(error.code == Code::stopping ? error : std::move(error).with(lines));
  }
  last_answer_ = std::move(answer->body);
  if (settings_.on_answer) settings_.on_answer(last_answer_);
  fact_count_ += static_cast<std::int64_t>(batch_.size());
  ++batch_number_;
  batch_.clear();
  batch_bytes_ = 0;
  return {};
}

Result<ApiAnswer> FactSender::send_until_answered(const ApiRequest& request) {
  Duration waited{};
  Duration pause = pause_min;
  while (true) {
    Result<ApiAnswer> answer = client_.send(request);
    if (answer || !may_help_again(answer.error())) return answer;
    const Duration next = std::max(pause, answer.error().retry_after.value_or(Duration::zero()));
    if (waited + next > settings_.retry_for) return answer;
    context_.terminal.err << fmt::format("{}; trying again in {}\n", answer.error().detail,
                                         format_duration(next))
                          << std::flush;
    if (!context_.pause(next)) return fail(Code::stopping, "interrupted");
    waited += next;
    pause = std::min(pause * 2, pause_max);
  }
}

}  // namespace postrider
