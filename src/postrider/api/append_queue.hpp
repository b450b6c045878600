#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "postrider/engine/engine.hpp"

namespace postrider {

/// The way of appends from the connections of one server to the engine thread, and of their
/// receipts back. What comes at the same time goes over together, so that each thread is woken once
/// for all of it. Used until that server has stopped, and destroyed before it is: what it may still
/// hold is the server's.
class AppendQueue {
 public:
  explicit AppendQueue(Engine& engine) : engine_(engine) {}
  AppendQueue(const AppendQueue&) = delete;
  AppendQueue& operator=(const AppendQueue&) = delete;
  ~AppendQueue() = default;

  /// `Stream::append` without a key, for a handler that runs on a connection's executor and is
  /// resumed there. Errors: as of `Stream::append`.
  Async<Result<AppendReceipt>> append(Stream* stream, std::shared_ptr<const FactBatch> facts);

  /// Gives the engine what has come until now. Called by itself while connections are served; once
  /// more after their server has stopped, for what came last. Any thread.
  void hand_over();

 private:
  using Resume = std::move_only_function<void(Result<AppendReceipt>)>;
  /// Who is resumed with a receipt, and where.
  struct Client {
    boost::asio::any_io_executor executor;
    Resume resume;
  };
  struct Request {
    Stream* stream = nullptr;
    std::shared_ptr<const FactBatch> facts;
    Client client;
  };
  struct Answer {
    Client client;
    Result<AppendReceipt> receipt;
  };

  void add(Request request);

  // Engine thread.
  void begin(std::vector<Request> requests);
  void observe(const Result<AppendReceipt>& receipt, MonoTime started, std::size_t bytes);
  void answer(Answer answer);
  void hand_back();

  Engine& engine_;
  std::mutex mutex_;
  std::vector<Request> waiting_;   ///< under the mutex
  std::size_t waiting_bytes_ = 0;  ///< under the mutex; of payloads
  std::vector<Answer> answered_;   ///< on the engine thread
};

}  // namespace postrider
