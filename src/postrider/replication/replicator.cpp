#include "postrider/replication/replicator.hpp"

#include <algorithm>
#include <optional>

#include "postrider/base/log.hpp"
#include "postrider/stream/block.hpp"
#include "postrider/stream/fact_parser.hpp"

namespace postrider {
namespace {

// Of a commit with more than this only the position is published; others read it from the database.
constexpr std::size_t published_bytes_max = 256U << 10;
// Rows of others that wait to be applied. What comes beyond this is dropped, as if the bus had lost
// it.
constexpr std::size_t buffered_bytes_max = 64U << 20;
// Positions without facts are published together, at most this much later.
constexpr Duration position_delay = std::chrono::milliseconds{1};
constexpr Duration warning_pause = std::chrono::seconds{10};

/// The facts of one commit; empty when a row is missing or damaged.
std::optional<std::vector<Chunk>> unpack(const std::vector<BlockRow>& rows, InstanceKey writer,
                                         StreamId position, const StreamFormat* format) {
  std::vector<Chunk> chunks;
  StreamId last = rows.front().previous;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const BlockRow& row = rows[i];
    const bool follows = row.previous == rows.front().previous &&
                         row.index == static_cast<std::int64_t>(i) &&
                         row.count == std::ssize(rows) && row.block.first > last;
    if (!follows) return std::nullopt;
    auto unpacked = unpack_block(row.block);
    if (!unpacked) return std::nullopt;
    last = row.block.last;
    if (format != nullptr) {
      AttributedFacts facts = with_attributes(*std::move(unpacked), *format);
      if (facts.unreadable) return std::nullopt;
      unpacked = std::move(facts.chunks);
    }
    chunks.insert(chunks.end(), unpacked->begin(), unpacked->end());
  }
  if (last > position) return std::nullopt;
  for (Chunk& chunk : chunks) chunk.writer = writer;
  return chunks;
}

}  // namespace

/// An update of another writer: one POSITION, or the RDATA rows of one commit.
struct Replicator::IncomingUpdate {
  std::string stream;
  const StreamFormat* format = nullptr;  ///< to read attributes with; null when not needed
  std::vector<std::string> rows;
  std::size_t bytes = 0;
  WriterUpdate update;
  bool is_readable = true;

  /// On the lane.
  void unpack_rows() {
    if (rows.empty()) return;
    std::vector<BlockRow> parsed;
    for (const std::string& row : rows) {
      if (auto one = parse_block_row(row)) parsed.push_back(*std::move(one));
    }
    rows.clear();
    is_readable = !parsed.empty();
    if (!is_readable) return;
    update.previous = parsed.back().previous;
    update.newest_session = parsed.back().newest_session;
    if (auto chunks = unpack(parsed, update.writer, update.position, format)) {
      update.chunks = *std::move(chunks);
      update.is_complete = true;
    }
  }
};

Replicator::Replicator(Runtime& runtime, Lane& lane, Bus& bus, const Session& session,
                       Streams& streams, Callbacks callbacks)
    : runtime_(runtime),
      lane_(lane),
      bus_(bus),
      session_(session),
      streams_(streams),
      callbacks_(std::move(callbacks)) {}

void Replicator::start(const std::string& fleet) {
  bus_.start(*this, fleet);
}

void Replicator::stop() {
  bus_.publish(format_command(ClearSessionCommand{session_.instance_name()}));
  bus_.stop();
  is_connected_ = false;
}

void Replicator::attach(Stream& stream) {
  stream.on_update([this, &stream](const WriterUpdate& update) { publish(stream, update); });
}

void Replicator::set_instances(const std::vector<SessionRow>& sessions) {
  instances_.clear();  // of those that are gone
  for (const SessionRow& row : sessions) instances_[row.instance_name] = row.instance;
  if (is_connected_ && std::exchange(must_catch_up_, false)) bus_.caught_up();
}

void Replicator::connected() {
  is_connected_ = true;
  must_catch_up_ = true;
  bus_.publish(format_command(NameCommand{session_.instance_name()}));
  bus_.publish(format_command(ReplicateCommand{}));
  // Others do not know that this process was away, and may lack its last updates.
  publish_all_positions();
  callbacks_.poll_soon();
}

void Replicator::disconnected() {
  is_connected_ = false;
  for (const auto& [writer, partial] : partial_commits_) buffered_bytes_ -= partial.bytes;
  partial_commits_.clear();
  callbacks_.poll_soon();
}

void Replicator::publish(Stream& stream, const WriterUpdate& update) {
  if (!is_connected_) return;
  if (update.chunks.empty()) return publish_position_later(stream, update);
  StreamId previous = update.previous;
  if (const auto pending = pending_positions_.find(stream.name());
      pending != pending_positions_.end()) {
    previous = pending->second.previous;
    pending_positions_.erase(pending);
  }
  publish_rows(stream.name(), update, previous);
}

void Replicator::publish_rows(const std::string& stream, const WriterUpdate& update,
                              StreamId previous) {
  std::size_t bytes = 0;
  for (const Block& block : update.blocks) bytes += block.data.size();
  // The position before it is that of the update itself, which is a gap to everybody.
  if (bytes > published_bytes_max)
    return publish_position(stream, update.position, update.position);
  const auto count = std::ssize(update.blocks);
  for (std::int64_t i = 0; i < count; ++i) {
    const BlockRow row{.previous = previous,
                       .newest_session = update.newest_session,
                       .index = i,
                       .count = count,
                       .block = update.blocks[static_cast<std::size_t>(i)]};
    RdataCommand command{stream, session_.instance_name(), std::nullopt, format_block_row(row)};
    if (i + 1 == count) command.position = update.position;
    bus_.publish(format_command(command));
  }
}

void Replicator::publish_position(const std::string& stream, StreamId previous, StreamId position) {
  const Stream* const known = streams_.find(stream);
  if (known == nullptr) return;
  bus_.publish(format_command(PositionCommand{stream, session_.instance_name(), previous, position,
                                              known->newest_session()}));
}

void Replicator::publish_position_later(const Stream& stream, const WriterUpdate& update) {
  const auto [pending, is_first] = pending_positions_.try_emplace(
      stream.name(), PendingPosition{update.previous, update.position});
  if (!is_first) pending->second.position = update.position;
  if (std::exchange(is_publishing_scheduled_, true)) return;
  runtime_.call_at(runtime_.now() + position_delay, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) publish_pending_positions();
  });
}

void Replicator::publish_pending_positions() {
  is_publishing_scheduled_ = false;
  for (const auto& [stream, pending] : std::exchange(pending_positions_, {})) {
    publish_position(stream, pending.previous, pending.position);
  }
}

void Replicator::publish_all_positions() {
  pending_positions_.clear();
  for (const Stream* const stream : streams_.all()) {
    publish_position(stream->name(), stream->own_position(), stream->own_position());
  }
}

void Replicator::announce_server_up(const std::string& service) {
  bus_.publish(format_command(RemoteServerUpCommand{service}));
}

void Replicator::received(std::string line) {
  auto command = parse_command(line);
  if (!command) return warn(command.error().detail);
  std::visit([this](auto& each) { handle(std::move(each)); }, *command);
}

const InstanceKey* Replicator::writer_of(const std::string& instance) {
  if (instance == session_.instance_name()) return nullptr;
  const auto found = instances_.find(instance);
  if (found != instances_.end()) return &found->second;
  callbacks_.poll_soon();
  return nullptr;
}

void Replicator::handle(const PositionCommand& command) {
  const InstanceKey* const writer = writer_of(command.instance);
  if (writer == nullptr) return;
  auto incoming = std::make_shared<IncomingUpdate>();
  incoming->stream = command.stream;
  incoming->update = {.writer = *writer,
                      .previous = command.previous,
                      .position = command.position,
                      .newest_session = command.newest_session,
                      .chunks = {},
                      .blocks = {},
                      .is_complete = true};
  unpack_and_apply(incoming);
}

void Replicator::handle(RdataCommand command) {
  const InstanceKey* const writer = writer_of(command.instance);
  const Stream* const stream = streams_.find(command.stream);
  if (writer == nullptr || stream == nullptr) return;
  if (buffered_bytes_ + command.row.size() > buffered_bytes_max) return;
  const Writer key{command.stream, command.instance};
  PartialCommit& partial = partial_commits_[key];
  partial.bytes += command.row.size();
  buffered_bytes_ += command.row.size();
  partial.rows.push_back(std::move(command.row));
  if (!command.position) return;
  auto incoming = std::make_shared<IncomingUpdate>();
  incoming->stream = command.stream;
  incoming->format = callbacks_.needs_attributes() ? &stream->format() : nullptr;
  incoming->rows = std::move(partial.rows);
  incoming->bytes = partial.bytes;
  incoming->update.writer = *writer;
  incoming->update.position = *command.position;
  partial_commits_.erase(key);
  unpack_and_apply(incoming);
}

void Replicator::handle(const ClearSessionCommand& command) {
  if (command.instance != session_.instance_name()) callbacks_.poll_soon();
}

void Replicator::handle(const ErrorCommand& command) {
  warn("another process reported an error on the bus: " + command.text);
}

void Replicator::warn(const std::string& message) {
  const MonoTime now = runtime_.now();
  if (now < next_warning_at_) {
    ++withheld_warnings_;
    return;
  }
  next_warning_at_ = now + warning_pause;
  const std::int64_t withheld = std::exchange(withheld_warnings_, 0);
  log_warn("replication: {}{}", message,
           withheld == 0 ? "" : fmt::format("; {} more warnings before it", withheld));
}

void Replicator::unpack_and_apply(const std::shared_ptr<IncomingUpdate>& incoming) {
  lane_.post([incoming] { incoming->unpack_rows(); },
             [this, incoming, alive = std::weak_ptr(alive_)] {
               if (!alive.expired()) apply(*incoming);
             });
}

void Replicator::apply(const IncomingUpdate& incoming) {
  buffered_bytes_ -= incoming.bytes;
  Stream* const stream = streams_.find(incoming.stream);
  if (stream == nullptr) return callbacks_.poll_soon();
  if (!incoming.is_readable) {
    return warn("an update of stream " + incoming.stream +
                " cannot be read; its facts are read from the database");
  }
  stream->apply_remote_update(incoming.update);
  if (stream->needs_writer_list()) callbacks_.poll_soon();
}

}  // namespace postrider
