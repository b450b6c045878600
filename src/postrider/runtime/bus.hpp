#pragma once

#include <string>

namespace postrider {

/// The replication bus: lines of text that every process of a fleet gets from every other. It may
/// lose lines, and take long with any of them; it changes none. Engine thread.
class Bus {
 public:
  /// Who listens to it. Called on the engine thread.
  class Listener {
   public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;

    /// From now on lines arrive and are sent; what was said before was not heard.
    virtual void connected() = 0;
    virtual void disconnected() = 0;
    /// Without its line break. One's own lines may come back.
    virtual void received(std::string line) = 0;
  };

  Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  virtual ~Bus() = default;

  /// Connects, and connects again for ever. `fleet` tells one fleet from all others, whose lines
  /// must not be heard.
  virtual void start(Listener& listener, std::string fleet) = 0;
  /// Sends what was published, if that takes no time. Nothing is called any more.
  virtual void stop() = 0;
  /// Dropped while it is not connected. `line` has no line break.
  virtual void publish(std::string line) = 0;
  /// After `connected`: what was missed before has been read. The pause before the next attempt to
  /// connect is short again.
  virtual void caught_up() = 0;
};

}  // namespace postrider
