#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "postrider/app/config/settings.hpp"
#include "postrider/delivery/service_registry.hpp"

namespace postrider {

/// A whole running server: database, engine thread, HTTP client, two listeners.
class Server {
 public:
  /// Whether to try again, some time after the database could not be reached.
  using WaitForDatabase = std::function<bool(const Error& error)>;
  /// Tokens are set in `settings`. Errors: the database, a conflict between services, a listener.
  static Result<std::unique_ptr<Server>> start(const Settings& settings,
                                               ServiceRegistry::Receivers services,
                                               const WaitForDatabase& wait);
  ~Server();

  /// Accepts no more, finishes what is in flight within the grace time, syncs, ends all threads.
  void stop();

  /// "127.0.0.1:8480"
  [[nodiscard]] std::string public_address() const;
  [[nodiscard]] std::string admin_address() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace postrider
