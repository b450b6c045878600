#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postrider/replication/block_row.hpp"
#include "postrider/replication/command.hpp"
#include "postrider/runtime/bus.hpp"
#include "postrider/runtime/lane.hpp"
#include "postrider/store/sessions.hpp"
#include "postrider/stream/streams.hpp"

namespace postrider {

/// Tells the other processes of the fleet what the writers of this one do, and the streams of this
/// one what others say. What the bus loses is found by its gap, and read from the database. Engine
/// thread.
class Replicator final : public Bus::Listener {
 public:
  /// What it needs of the process around it.
  struct Callbacks {
    std::function<void()> poll_soon;   ///< the database has changes that are not known here
    std::function<bool()> needs_keys;  ///< whether facts are wanted with their keys
    std::function<void(std::string_view service)> retry_service;  ///< it takes requests again
  };
  /// `lane`: for unpacking. Everything outlives the replicator.
  Replicator(Runtime& runtime, Lane& lane, Bus& bus, const Session& session, Streams& streams,
             Callbacks callbacks);

  void start(const std::string& fleet);
  /// Says that the session has ended.
  void stop();
  /// From now on the words of this stream are published.
  void watch(Stream& stream);
  /// What the database says of the instances, which words call by their names.
  void adopt(const std::vector<SessionRow>& sessions);
  /// Tells whoever delivers to the service that it takes requests again.
  void say_server_up(const std::string& service);
  [[nodiscard]] bool is_connected() const { return is_connected_; }

  void connected() override;
  void disconnected() override;
  void received(std::string line) override;

 private:
  struct Unsaid {
    StreamId previous;
    StreamId position;
  };
  /// The rows of a commit that has not ended.
  struct Parked {
    std::vector<std::string> rows;
    std::size_t bytes = 0;
  };
  using Writer = std::pair<std::string, std::string>;  ///< stream, instance
  struct Heard;

  void say(Stream& stream, const WriterUpdate& word);
  void say_position(const std::string& stream, StreamId previous, StreamId position);
  void say_rows(const std::string& stream, const WriterUpdate& word, StreamId previous);
  void say_later(const Stream& stream, const WriterUpdate& word);
  void say_unsaid();
  void say_all_positions();

  void handle(const PositionCommand& command);
  void handle(RdataCommand command);
  void handle(const ReplicateCommand&) { say_all_positions(); }
  void handle(const ClearSessionCommand& command);
  void handle(const ErrorCommand& command);
  void handle(const RemoteServerUpCommand& command) { callbacks_.retry_service(command.service); }
  void handle(const NameCommand&) {}
  void handle(const PingCommand&) {}
  /// Whom a word is of; null when it is one's own, or of somebody unknown.
  const InstanceKey* writer_of(const std::string& instance);
  /// On the lane, so that words stay in their order.
  void hear_later(const std::shared_ptr<Heard>& heard);
  void hear(const Heard& heard);
  /// Others may say the same wrong thing a thousand times a second.
  void warn(const std::string& about);

  Runtime& runtime_;
  Lane& lane_;
  Bus& bus_;
  const Session& session_;
  Streams& streams_;
  Callbacks callbacks_;
  std::map<std::string, InstanceKey> instances_;
  std::map<std::string, Unsaid> unsaid_;  ///< positions without facts, by stream
  bool will_say_unsaid_ = false;
  std::map<Writer, Parked> parked_;
  std::size_t held_bytes_ = 0;  ///< of rows that are parked or on the lane
  MonoTime next_warning_at_{};
  std::int64_t withheld_warnings_ = 0;
  bool is_connected_ = false;
  bool has_missed_ = false;  ///< since the connection, nothing was read from the database yet
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace postrider
