#include "postrider/replication/replicator.hpp"

#include <algorithm>
#include <optional>

#include "postrider/base/log.hpp"
#include "postrider/stream/block.hpp"
#include "postrider/stream/fact_parser.hpp"

namespace postrider {
namespace {

// A commit with more than this is announced by its position alone, and read from the database.
constexpr std::size_t said_bytes_max = 256U << 10;
// What others say beyond this, before it is taken in, is as if it were lost.
constexpr std::size_t held_bytes_max = 64U << 20;
// Writers that have nothing to say but where they stand say it together.
constexpr Duration position_delay = std::chrono::milliseconds{1};
constexpr Duration warning_pause = std::chrono::seconds{10};

/// The facts of one commit; empty when a row is missing or damaged.
std::optional<std::vector<Chunk>> unpack(const std::vector<BlockRow>& rows, InstanceKey writer,
                                         StreamId position, const EventFormat* keys) {
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
    if (keys != nullptr) unpacked = with_keys(*std::move(unpacked), *keys);
    chunks.insert(chunks.end(), unpacked->begin(), unpacked->end());
  }
  if (last > position) return std::nullopt;
  for (Chunk& chunk : chunks) chunk.writer = writer;
  return chunks;
}

}  // namespace

/// What one line, or the lines of one commit, said of a writer.
struct Replicator::Heard {
  std::string stream;
  const EventFormat* keys = nullptr;  ///< to read them with; null when nobody wants them
  std::vector<std::string> rows;
  std::size_t bytes = 0;
  WriterUpdate word;
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
    word.previous = parsed.back().previous;
    word.newest_session = parsed.back().newest_session;
    if (auto chunks = unpack(parsed, word.writer, word.position, keys)) {
      word.chunks = *std::move(chunks);
      word.is_complete = true;
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

void Replicator::watch(Stream& stream) {
  stream.on_update([this, &stream](const WriterUpdate& word) { say(stream, word); });
}

void Replicator::adopt(const std::vector<SessionRow>& sessions) {
  for (const SessionRow& row : sessions) instances_[row.instance_name] = row.instance;
  if (is_connected_ && std::exchange(has_missed_, false)) bus_.caught_up();
}

void Replicator::connected() {
  is_connected_ = true;
  has_missed_ = true;
  bus_.publish(format_command(NameCommand{session_.instance_name()}));
  bus_.publish(format_command(ReplicateCommand{}));
  // Others cannot see that this process was away.
  say_all_positions();
  callbacks_.poll_soon();
}

void Replicator::disconnected() {
  is_connected_ = false;
  for (const auto& [writer, parked] : parked_) held_bytes_ -= parked.bytes;
  parked_.clear();
  callbacks_.poll_soon();
}

void Replicator::say(Stream& stream, const WriterUpdate& word) {
  if (!is_connected_) return;
  if (word.chunks.empty()) return say_later(stream, word);
  StreamId previous = word.previous;
  if (const auto unsaid = unsaid_.find(stream.name()); unsaid != unsaid_.end()) {
    previous = unsaid->second.previous;
    unsaid_.erase(unsaid);
  }
  say_rows(stream.name(), word, previous);
}

void Replicator::say_rows(const std::string& stream, const WriterUpdate& word, StreamId previous) {
  std::size_t bytes = 0;
  for (const Block& block : word.blocks) bytes += block.data.size();
  // As from one who was not heard up to there: that is a gap to everybody.
  if (bytes > said_bytes_max) return say_position(stream, word.position, word.position);
  const auto count = std::ssize(word.blocks);
  for (std::int64_t i = 0; i < count; ++i) {
    const BlockRow row{.previous = previous,
                       .newest_session = word.newest_session,
                       .index = i,
                       .count = count,
                       .block = word.blocks[static_cast<std::size_t>(i)]};
    RdataCommand command{stream, session_.instance_name(), std::nullopt, format_block_row(row)};
    if (i + 1 == count) command.position = word.position;
    bus_.publish(format_command(command));
  }
}

void Replicator::say_position(const std::string& stream, StreamId previous, StreamId position) {
  const Stream* const known = streams_.find(stream);
  if (known == nullptr) return;
  bus_.publish(format_command(PositionCommand{stream, session_.instance_name(), previous, position,
                                              known->newest_session()}));
}

void Replicator::say_later(const Stream& stream, const WriterUpdate& word) {
  const auto [unsaid, is_first] =
      unsaid_.try_emplace(stream.name(), Unsaid{word.previous, word.position});
  if (!is_first) unsaid->second.position = word.position;
  if (std::exchange(will_say_unsaid_, true)) return;
  runtime_.call_at(runtime_.now() + position_delay, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) say_unsaid();
  });
}

void Replicator::say_unsaid() {
  will_say_unsaid_ = false;
  for (const auto& [stream, unsaid] : std::exchange(unsaid_, {})) {
    say_position(stream, unsaid.previous, unsaid.position);
  }
}

void Replicator::say_all_positions() {
  unsaid_.clear();
  for (const Stream* const stream : streams_.all()) {
    say_position(stream->name(), stream->own_position(), stream->own_position());
  }
}

void Replicator::say_server_up(const std::string& service) {
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
  auto heard = std::make_shared<Heard>();
  heard->stream = command.stream;
  heard->word = {.writer = *writer,
                 .previous = command.previous,
                 .position = command.position,
                 .newest_session = command.newest_session,
                 .chunks = {},
                 .blocks = {},
                 .is_complete = true};
  hear_later(heard);
}

void Replicator::handle(RdataCommand command) {
  const InstanceKey* const writer = writer_of(command.instance);
  const Stream* const stream = streams_.find(command.stream);
  if (writer == nullptr || stream == nullptr) return;
  if (held_bytes_ + command.row.size() > held_bytes_max) return;
  const Writer key{command.stream, command.instance};
  Parked& parked = parked_[key];
  parked.bytes += command.row.size();
  held_bytes_ += command.row.size();
  parked.rows.push_back(std::move(command.row));
  if (!command.position) return;
  auto heard = std::make_shared<Heard>();
  heard->stream = command.stream;
  heard->keys = callbacks_.needs_keys() ? &stream->format() : nullptr;
  heard->rows = std::move(parked.rows);
  heard->bytes = parked.bytes;
  heard->word.writer = *writer;
  heard->word.position = *command.position;
  parked_.erase(key);
  hear_later(heard);
}

void Replicator::handle(const ClearSessionCommand& command) {
  if (command.instance != session_.instance_name()) callbacks_.poll_soon();
}

void Replicator::handle(const ErrorCommand& command) {
  warn("somebody says: " + command.text);
}

void Replicator::warn(const std::string& about) {
  const MonoTime now = runtime_.now();
  if (now < next_warning_at_) {
    ++withheld_warnings_;
    return;
  }
  next_warning_at_ = now + warning_pause;
  const std::int64_t withheld = std::exchange(withheld_warnings_, 0);
  log_warn("replication: {}{}", about,
           withheld == 0 ? "" : fmt::format("; {} more warnings before it", withheld));
}

void Replicator::hear_later(const std::shared_ptr<Heard>& heard) {
  lane_.post([heard] { heard->unpack_rows(); },
             [this, heard, alive = std::weak_ptr(alive_)] {
               if (!alive.expired()) hear(*heard);
             });
}

void Replicator::hear(const Heard& heard) {
  held_bytes_ -= heard.bytes;
  Stream* const stream = streams_.find(heard.stream);
  if (stream == nullptr) return callbacks_.poll_soon();
  if (!heard.is_readable) return warn("facts of " + heard.stream + " cannot be read");
  stream->apply_remote_update(heard.word);
  if (stream->needs_writer_list()) callbacks_.poll_soon();
}

}  // namespace postrider
