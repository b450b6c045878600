#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postrider/runtime/http_client.hpp"

namespace postrider {

/// A request, and where its outcome goes.
struct Submission {
  HttpRequest request;
  std::move_only_function<void(Result<HttpResponse>)> done;
};

/// Which requests have a connection now, and which wait for one: a process has so many file
/// descriptors, and what hangs must leave some of them to others. Origins take turns, so that one
/// for which many wait holds up no other. On one thread.
class ConnectionPlaces {
 public:
  /// Both are at least 1.
  ConnectionPlaces(std::size_t total, std::size_t per_origin)
      : total_(total), per_origin_(per_origin) {}

  /// Whether a request would have a place at once. After `take` has given nothing more.
  [[nodiscard]] bool has_room(std::string_view url) const;
  void add(Submission submission);
  /// The next one that has a place; it holds that until its origin is given back.
  std::optional<Submission> take();
  /// `url`: of a request that was taken.
  void give_back(std::string_view url);
  /// All that wait.
  std::vector<Submission> drop_waiting();

  [[nodiscard]] std::size_t waiting() const { return waiting_; }

 private:
  struct Origin {
    std::size_t taken = 0;
    std::deque<Submission> waiting;
    bool has_turn = false;
  };

  void give_turn(Origin& origin);

  std::size_t total_;
  std::size_t per_origin_;
  std::size_t taken_ = 0;
  std::size_t waiting_ = 0;
  std::unordered_map<std::string, Origin> origins_;  ///< that have a request
  std::deque<Origin*> turns_;                        ///< those that may have another one
};

}  // namespace postrider
