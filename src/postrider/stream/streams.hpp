#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/stream/stream.hpp"

namespace postrider {

struct StreamDeclaration {
  std::string format;                             ///< empty: as it is stored, else the default
  std::map<std::string, std::string> attributes;  ///< JSON pointers by name, for its format
  Duration retain = StreamSettings{}.retain;

  bool operator==(const StreamDeclaration&) const = default;
};

/// Null when there is no format of that name. `pointers`: where its attributes are, by name.
using MakeFormat = std::shared_ptr<const StreamFormat> (*)(
    std::string_view name, const std::map<std::string, std::string>& pointers);

struct StreamsSettings {
  std::map<std::string, StreamDeclaration> declared;
  bool auto_create = false;
  StreamDeclaration created;  ///< what an auto-created stream is like
  StreamSettings each;
  std::string default_format;  ///< of a new stream whose declaration names none
  MakeFormat make_format = nullptr;

  bool operator==(const StreamsSettings&) const = default;
};

/// The streams of this process: every stream of the database that it knows of, by name and by key.
/// A stream stays until this is destroyed. Engine thread.
class Streams {
 public:
  class Listener {
   public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;

    /// The stream can be found from now on.
    virtual void on_stream_added(Stream& stream) = 0;
    /// After that, if this process has created it in the database.
    virtual void on_stream_created(Stream& stream) = 0;
  };

  /// `session`: null where no other process writes. `listener` may be null. References must outlive
  /// the streams.
  Streams(Runtime& runtime, Committer& committer, Reader reader, StreamsSettings settings,
          StreamMetrics metrics, const Session* session, Listener* listener = nullptr);

  [[nodiscard]] Stream* find(StreamKey key) const;
  [[nodiscard]] Stream* find(std::string_view name) const;
  /// In order of name.
  [[nodiscard]] std::vector<Stream*> all() const;
  /// Creates the stream when the settings allow. `not_found` when they do not, or when it is no
  /// name of a stream; else the errors of a commit.
  Async<Result<Stream*>> find_or_create(std::string name);

  /// Where no other process writes: adds every stream of the database. `storage_incompatible` when
  /// one has another format than it is declared with.
  Async<Result<void>> load(Reader from);
  /// Creates the declared streams that are not there. Errors as of `load`, and of a commit.
  Async<Result<void>> create_declared();
  /// Under a session that has begun: this process is now a writer of the stream, which is added if
  /// it is new here. No append is under way.
  void join(const StreamRow& row, WriterStart start);
  /// There is none of that key or name yet.
  Stream& add(std::unique_ptr<Stream> stream);

 private:
  Async<Result<void>> create(std::string name, StreamDeclaration declaration);
  [[nodiscard]] Result<void> check_format(const StreamRow& row) const;
  Stream& open(const StreamRow& row, StreamId last_id);

  Runtime& runtime_;
  Committer& committer_;
  Reader reader_;
  StreamsSettings settings_;
  StreamMetrics metrics_;
  const Session* session_;
  Listener* listener_;
  const std::shared_ptr<StreamMemory> memory_;  ///< of all streams
  std::map<StreamKey, std::unique_ptr<Stream>> by_key_;
  std::map<std::string, Stream*, std::less<>> by_name_;
  std::set<std::string> creating_;
  Event created_;
};

}  // namespace postrider
