#pragma once

#include <string>

namespace postrider {

/// The replication bus: lines of text that every process of a fleet gets from every other. It may
/// lose, delay, repeat and reorder lines; it changes none. Engine thread.
class Bus {
 public:
  /// Who listens to it. Called on the engine thread.
  class Listener {
   public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;

    /// From now on lines arrive and are sent. Those that others sent before are lost.
    virtual void connected() = 0;
    virtual void disconnected() = 0;
    /// Without its line break. One's own lines may come back.
    virtual void received(std::string line) = 0;
  };

  Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  virtual ~Bus() = default;

  /// Connects, and connects again for ever. `fleet` names the processes whose lines are exchanged;
  /// those of other fleets do not arrive.
  virtual void start(Listener& listener, std::string fleet) = 0;
  /// Sends what was published, if that takes no time. Nothing is called any more.
  virtual void stop() = 0;
  /// Dropped while it is not connected. `line` has no line break.
  virtual void publish(std::string line) = 0;
  /// After `connected`: what was lost before has been read from the database. The pause before the
  /// next attempt to connect is short again.
  virtual void caught_up() = 0;
};

}  // namespace postrider
