#include "postrider/stream/streams.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"
#include "postrider/base/log.hpp"
#include "postrider/store/blocks.hpp"
#include "postrider/stream/stream_name.hpp"
#include "postrider/stream/stream_writers.hpp"

namespace postrider {
namespace {

struct StoredStream {
  StreamRow row;
  StreamId last_id;
};

Result<std::vector<StoredStream>> read_stored_streams(SqlConnection& connection) {
  std::vector<StoredStream> stored;
  TRY(const auto rows, read_streams(connection));
  for (const StreamRow& row : rows) {
    TRY(const auto last, last_stored_id(connection, row.key));
    stored.push_back(
        {row, std::max({row.dropped_through, row.sorted_through, last.value_or(StreamId{})})});
  }
  return stored;
}

}  // namespace

Streams::Streams(Runtime& runtime, Committer& committer, Reader reader, StreamsSettings settings,
                 StreamMetrics metrics, const Session* session, Listener* listener)
    : runtime_(runtime),
      committer_(committer),
      reader_(reader),
      settings_(std::move(settings)),
      metrics_(metrics),
      session_(session),
      listener_(listener),
      memory_(std::make_shared<StreamMemory>(settings_.each)),
      created_(runtime) {}

Stream* Streams::find(StreamKey key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second.get();
}

Stream* Streams::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::vector<Stream*> Streams::all() const {
  std::vector<Stream*> all;
  for (const auto& [name, stream] : by_name_) all.push_back(stream);
  return all;
}

Async<Result<Stream*>> Streams::find_or_create(std::string name) {
  while (creating_.contains(name)) co_await created_.wait();
  if (Stream* const found = find(name)) co_return found;
  if (!is_stream_name(name)) {
    co_return fail(Code::not_found,
                   "\"{}\" is not a stream name: 1 to {} of a-z 0-9 _ . - beginning with a letter"
                   " or digit",
                   name, stream_name_bytes_max);
  }
  if (!settings_.auto_create) {
    co_return fail(Code::not_found,
                   "there is no stream \"{}\"; declare it under streams, or set"
                   " append.auto_create_streams",
                   name);
  }
  creating_.insert(name);
  const Result<void> created = co_await create(name, settings_.created);
  creating_.erase(name);
  created_.notify_all();
  if (!created) co_return std::unexpected(created.error());
  co_return find(name);
}

Async<Result<void>> Streams::load(Reader from) {
  auto work = [&from] { return read_stored_streams(from.connection); };
  CO_TRY(const auto stored, co_await run_on(from.lane, work));
  for (const StoredStream& stream : stored) {
    CO_TRY_VOID(check_format(stream.row));
    open(stream.row, stream.last_id);
  }
  co_return Result<void>{};
}

Async<Result<void>> Streams::create_declared() {
  for (const auto& [name, declaration] : settings_.declared) {
    if (find(name) != nullptr) continue;
    CO_TRY_VOID(co_await create(name, declaration));
  }
  co_return Result<void>{};
}

void Streams::join(const StreamRow& row, WriterStart start) {
  Stream* stream = find(row.key);
  if (stream == nullptr) stream = &open(row, std::max(row.dropped_through, row.sorted_through));
  stream->begin_session(start);
}

Stream& Streams::add(std::unique_ptr<Stream> stream) {
  Stream& added = *stream;
  const bool is_new = by_name_.emplace(added.name(), &added).second &&
                      by_key_.emplace(added.key(), std::move(stream)).second;
  POSTRIDER_ASSERT(is_new, "stream {} is there already", added.name());
  if (listener_ != nullptr) listener_->on_stream_added(added);
  return added;
}

Async<Result<void>> Streams::create(std::string name, StreamDeclaration declaration) {
  StreamRow row;
  WriterStart start;
  const WallTime now = runtime_.wall_now();
  const std::string format =
      declaration.format.empty() ? settings_.default_format : declaration.format;
  std::function<Result<void>(SqlConnection&)> apply =
      [&](SqlConnection& connection) -> Result<void> {
    TRY(row, put_stream(connection, name, format, now));
    if (session_ != nullptr) {
      TRY(start, join_as_writer(connection, row, session_->instance(), {}));
    }
    return {};
  };
  CO_TRY_VOID(co_await committer_.commit(std::move(apply)));
  CO_TRY_VOID(check_format(row));
  if (find(name) != nullptr) co_return Result<void>{};
  if (session_ != nullptr) {
    join(row, start);
  } else {
    open(row, {});
  }
  log_info("stream {}: created with format {}", name, row.format);
  if (listener_ != nullptr) listener_->on_stream_created(*find(name));
  co_return Result<void>{};
}

Result<void> Streams::check_format(const StreamRow& row) const {
  if (settings_.make_format(row.format, {}) == nullptr) {
    return fail(Code::storage_incompatible,
                "stream \"{}\" holds facts of format {}, which this version does not know",
                row.name, row.format);
  }
  const auto declared = settings_.declared.find(row.name);
  const bool is_free = declared == settings_.declared.end() || declared->second.format.empty();
  if (is_free || declared->second.format == row.format) return {};
  return fail(Code::storage_incompatible,
              "stream \"{}\" holds facts of format {}, and the configuration says {}", row.name,
              row.format, declared->second.format);
}

Stream& Streams::open(const StreamRow& row, StreamId last_id) {
  const auto declared = settings_.declared.find(row.name);
  const StreamDeclaration& declaration =
      declared != settings_.declared.end() ? declared->second : settings_.created;
  StreamSettings settings = settings_.each;
  settings.retain = declaration.retain;
  return add(std::make_unique<Stream>(
      runtime_, committer_, reader_,
      StreamDefinition{row, settings_.make_format(row.format, declaration.attributes), settings,
                       memory_},
      metrics_, IdSource{last_id, session_}));
}

}  // namespace postrider
