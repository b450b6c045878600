#pragma once

#include <atomic>
#include <functional>
#include <string_view>

#include "postrider/api/http/internal/http_socket.hpp"
#include "postrider/api/http/internal/response_head.hpp"
#include "postrider/api/http/message.hpp"

namespace postrider {

/// A streamed answer on its way over a socket. Both references outlive it.
class HttpResponseStream final : public ResponseStream {
 public:
  HttpResponseStream(HttpSocket& socket, const std::atomic<bool>& stopping, Duration write_timeout,
                     BodyForm form);

  Async<Result<void>> write(std::string_view piece) override;
  [[nodiscard]] bool ended() const override;
  void on_end(std::function<void()> wake) override;

  /// The client has gone.
  void lose_client();
  /// Tells the source when it asked for that.
  void wake_source();
  /// Sends what follows the last piece. False when not all of the answer went out.
  Async<bool> finish();

 private:
  HttpSocket& socket_;
  const std::atomic<bool>& stopping_;
  const Duration write_timeout_;
  const BodyForm form_;
  std::function<void()> wake_;
  bool client_gone_ = false;
};

}  // namespace postrider
