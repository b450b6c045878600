#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include <curl/curl.h>

#include "postrider/drivers/curl/connection_places.hpp"
#include "postrider/drivers/curl/curl_http_client_settings.hpp"
#include "postrider/drivers/curl/curl_transfer.hpp"
#include "postrider/runtime/http_client.hpp"

namespace postrider {

/// The thread that drives libcurl. One epoll watches all sockets, and libcurl is told which of
/// them are ready, so that the work done grows with what moves and not with what waits.
class CurlLoop {
 public:
  /// Called once for every request, on the loop's thread, or on the caller's after `stop`.
  using Done = decltype(Submission::done);

  explicit CurlLoop(CurlHttpClientSettings settings);
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;
  ~CurlLoop();

  /// From any thread.
  void submit(HttpRequest request, Done done);

  /// Gives every request `stopping`, closes all connections and joins the thread. Not from two
  /// threads at once.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct InFlight {
    std::unique_ptr<CurlTransfer> transfer;
    Done done;
  };

  void run();
  /// False when stopping.
  bool begin_submitted();
  void begin(Submission submission);
  /// Those that have a place now.
  void begin_waiting();
  void warn_of_waiting();
  void wait_for_sockets();
  [[nodiscard]] int wait_milliseconds() const;
  void fire_timer();
  void finish_completed();
  void finish(CURL* handle, CURLcode code);
  /// False when the request that reads from it has had enough, and is over.
  bool may_read(int socket);
  void keep_for_reuse(std::unique_ptr<CurlTransfer> transfer);
  void abandon_all();
  void wake();

  void watch(curl_socket_t socket, int what, bool watched);
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* watched);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);

  struct Cleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  const CurlHttpClientSettings settings_;
  ConnectionPlaces places_;
  Clock::time_point warned_at_{};
  int epoll_;
  int wake_;
  std::unique_ptr<CURLM, Cleanup> multi_;
  std::optional<Clock::time_point> timer_;
  std::unordered_map<CURL*, InFlight> in_flight_;
  std::unordered_map<int, CURL*> readers_;  ///< of the sockets that are watched
  std::vector<std::unique_ptr<CurlTransfer>> idle_;

  std::mutex mutex_;
  std::vector<Submission> submitted_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace postrider
