#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "postrider/app/config/listen_address.hpp"
#include "postrider/base/result.hpp"
#include "postrider/webhook/signature.hpp"

namespace postrider {

/// What a receiver for trying things out does. Requests are counted from 1 over all paths.
struct ReceiverSettings {
  ListenAddress listen{"127.0.0.1", 9000};
  std::string hs_token;                 ///< asked of every sender when not empty
  std::optional<WebhookSecret> secret;  ///< that every webhook must be signed with
  std::uint64_t fail_first = 0;         ///< so many requests at the start fail
  std::uint64_t fail_every = 0;         ///< every so many requests one fails; 0: none
  int fail_status = 500;                ///< 300 to 599
  std::uint64_t drop_every = 0;         ///< every so many requests one gets no answer; 0: none
  Duration delay{};                     ///< before each answer
  /// One JSON line is appended for each transaction and flushed before its answer leaves:
  /// {"path" (without the ID), "txn_id", "body" (a string), "received_ms", "status" (0: dropped)}.
  std::string log_file;
  bool quiet = false;   ///< prints no line for a transaction
  bool json = false;    ///< prints JSON lines
  bool colour = false;  ///< marks states in printed text
  std::function<WallTime()> wall_now;
  /// Takes one printed line with its end; called on the receiver's thread. Standard output when
  /// empty.
  std::function<void(std::string_view)> print;
};

/// Takes transactions as a webhook or an application service does: any PUT or POST, with the ID in
/// the header `webhook-id` or in the last segment of the path. A dropped transaction counts as
/// processed, a failed one does not.
class TrialReceiver {
 public:
  explicit TrialReceiver(ReceiverSettings settings);
  TrialReceiver(const TrialReceiver&) = delete;
  TrialReceiver& operator=(const TrialReceiver&) = delete;
  ~TrialReceiver();

  /// Prints where it listens. Errors: those of `HttpServer::start`, and `invalid_argument` for a
  /// setting that is out of range or a log file that cannot be opened.
  Result<void> start();
  [[nodiscard]] std::uint16_t port() const;
  /// Requests in flight may finish within the grace.
  void stop(Duration grace);

 private:
  class Desk;
  std::unique_ptr<Desk> desk_;
};

/// Receives until `wait_for_stop` returns; gives the exit code. Prints to standard output, in
/// colour when that is a terminal.
Result<int> run_receiver(ReceiverSettings settings, const std::function<void()>& wait_for_stop);

}  // namespace postrider
