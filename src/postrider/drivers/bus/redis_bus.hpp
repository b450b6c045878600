#pragma once

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "postrider/base/result.hpp"
#include "postrider/drivers/bus/bus_timing.hpp"
#include "postrider/runtime/bus.hpp"

namespace postrider {

struct RedisAddress {
  std::string host = "127.0.0.1";
  std::string port = "6379";
  std::string user;      ///< may be empty
  std::string password;  ///< may be empty
  int database = 0;
};
/// `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`. The message never repeats the URL, which may
/// hold a password.
Result<RedisAddress> parse_redis_url(const std::string& url);

/// The bus over Redis: one channel for the fleet, one connection that is subscribed to it and one
/// that publishes. Source: https://redis.io/docs/latest/develop/pubsub/
class RedisBus final : public Bus {
 public:
  /// Calls its listener on `engine`.
  RedisBus(boost::asio::any_io_executor engine, RedisAddress address, BusTiming timing = {});
  ~RedisBus() override;

  void start(Listener& listener, std::string fleet) override;
  void stop() override;
  void publish(std::string line) override;
  void caught_up() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace postrider
