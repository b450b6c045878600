#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "postrider/app/cli/api_client.hpp"
#include "postrider/app/cli/fact_splitter.hpp"

namespace postrider {

struct FactSenderSettings {
  std::string stream;
  std::size_t batch_facts = 100;
  std::uint64_t batch_bytes = 8U << 20;  ///< a batch is full when it reaches this
  std::string idempotency_prefix;        ///< with the batch's number it is the Idempotency-Key
  Duration retry_for = std::chrono::minutes{1};  ///< waited in a row before giving up
  bool explain = false;                          ///< ask who gets each fact
  std::function<void(const std::string& body)> on_answer = nullptr;  ///< to each batch
};

/// Appends facts in batches, in order. A batch that met a connection error, 503 or 507 is sent
/// again under the same Idempotency-Key, after 250 ms, then twice as long each time up to 10 s, or
/// as long as the server says.
class FactSender {
 public:
  FactSender(CommandContext& context, ApiClient client, FactSenderSettings settings)
      : context_(context), client_(std::move(client)), settings_(std::move(settings)) {}

  /// Sends what is full. Errors: those of the last attempt; `detail` names the lines.
  Result<void> add(std::vector<InputFact> facts);
  /// Sends what is left.
  Result<void> flush();

  [[nodiscard]] std::int64_t fact_count() const { return fact_count_; }
  [[nodiscard]] const std::string& last_answer() const { return last_answer_; }

 private:
  Result<void> send_batch();
  Result<ApiAnswer> send_until_answered(const ApiRequest& request);

  CommandContext& context_;
  ApiClient client_;
  FactSenderSettings settings_;
  std::vector<InputFact> batch_;
  std::uint64_t batch_bytes_ = 0;
  std::int64_t batch_number_ = 0;
  std::int64_t fact_count_ = 0;  ///< acknowledged
  std::string last_answer_;
};

}  // namespace postrider
