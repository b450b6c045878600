#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "postrider/drivers/testing/temporary_database.hpp"
#include "postrider/store/testing/forwarding_connection.hpp"
#include "postrider/stream/fact_parser.hpp"
#include "postrider/stream/streams.hpp"
#include "postrider/stream/testing/plain_format.hpp"
#include "sim/world/run.hpp"

namespace postrider {

/// Fails or counts on demand.
class WatchedConnection final : public ForwardingConnection {
 public:
  explicit WatchedConnection(std::unique_ptr<SqlConnection> inner)
      : ForwardingConnection(*inner), inner_(std::move(inner)) {}

  using ForwardingConnection::execute;
  Result<std::int64_t> execute(const Statement& statement, std::span<const SqlValue> values,
                               const RowCallback& row) override {
    ++statements;
    if (refuses && refuses(statement, values)) return fail(refusal, "planted");
    if (!refused_once.empty() && statement.sql.contains(refused_once)) {
      refused_once.clear();
      return fail(refusal, "planted");
    }
    if (in_doubt_ && doubts-- > 0) return fail(Code::storage_unavailable, "planted");
    return ForwardingConnection::execute(statement, values, row);
  }
  Result<void> commit() override {
    if (before_commit) std::exchange(before_commit, {})();
    if (fail_commits) return fail(Code::storage_full, "planted");
    in_doubt_ = false;
    if (commits_lost-- > 0) {
      in_doubt_ = true;
      return fail(Code::storage_unavailable, "planted");
    }
    commits_lost = 0;
    if (commits_refused-- > 0) return fail(Code::storage_unavailable, "planted");
    commits_refused = 0;
    ++commits;
    TRY_VOID(ForwardingConnection::commit());
    in_doubt_ = answers_lost-- > 0;
    if (in_doubt_) return fail(Code::storage_unavailable, "planted");
    answers_lost = 0;
    return {};
  }
  [[nodiscard]] bool is_in_doubt() const override { return in_doubt_; }

  int statements = 0;
  int commits = 0;
  bool fail_commits = false;
  int commits_refused = 0;   ///< how many commits do not reach the database
  int commits_lost = 0;      ///< how many do not happen without anybody being told
  int answers_lost = 0;      ///< how many are not answered although they have happened
  std::string refused_once;  ///< a part of a statement that fails
  /// Statements that fail, with `refusal`, however often they come.
  std::function<bool(const Statement&, std::span<const SqlValue>)> refuses;
  Code refusal = Code::storage_unavailable;
  int doubts = 0;                       ///< how often nobody can tell
  std::function<void()> before_commit;  ///< called once

 private:
  std::unique_ptr<SqlConnection> inner_;
  bool in_doubt_ = false;
};

/// A committer and a stream over a real database file, in virtual time.
class StreamWorld : public testing::Test {
 protected:
  explicit StreamWorld(
      std::shared_ptr<const StreamFormat> of_facts = std::make_shared<const PlainFormat>())
      : format(std::move(of_facts)) {
    session.on_begun(begin_session(*writer, session.instance_name(), runtime.wall_now()).value(),
                     runtime.now());
    writer->commits = 0;
    committer = std::make_unique<Committer>(
        runtime, Reader{lane, *writer}, Reader{lane, *reader},
        CommitterMetrics{commit_count, pages_written, commit_seconds}, &session);
    committer->start();
    streams = make_streams();
  }
  ~StreamWorld() override { run(committer->stop()); }

  template <class T>
  T run(Async<T> task) {
    return sim::run(runtime, std::move(task));
  }

  /// Alters the stored block that ends with the fact.
  void damage_block(StreamKey of, StreamId last) {
    static constexpr Statement damage_sql{
        "UPDATE blocks SET data = $3 WHERE stream_key = $1 AND last_id = $2"};
    const auto damaged = writer->execute(damage_sql, {of.value, last.value, Blob{"damaged"}});
    ASSERT_TRUE(damaged);
    ASSERT_EQ(*damaged, 1);
  }

  /// `under`: its session, when it is one of several writers.
  std::unique_ptr<Stream> open_stream(StreamSettings settings = {}, StreamId last = StreamId{0},
                                      const Session* under = nullptr) {
    if (!key_) {
      key_ = put_stream(*writer, "events", format->name(), runtime.wall_now()).value().key;
    }
    const StreamRow row{.key = *key_,
                        .name = "events",
                        .format = std::string(format->name()),
                        .sorted_through = {},
                        .dropped_through = {}};
    return std::make_unique<Stream>(runtime, *committer, Reader{lane, *reader},
                                    StreamDefinition{row, format, settings},
                                    StreamMetrics{facts_per_commit}, IdSource{last, under});
  }

  /// Makes it the only stream of `streams`, which is made anew.
  Stream* only_stream(std::unique_ptr<Stream> stream) {
    streams = make_streams();
    return &streams->add(std::move(stream));
  }
  std::unique_ptr<Streams> make_streams() {
    return std::make_unique<Streams>(runtime, *committer, Reader{lane, *reader}, StreamsSettings{},
                                     StreamMetrics{facts_per_commit}, &session);
  }

  static std::shared_ptr<const FactBatch> facts(const Stream& stream, int count, int from = 1) {
    std::string body;
    for (int number = from; number < from + count; ++number) {
      body += fmt::format("{{\"type\":\"t\",\"sender\":\"@a:x\",\"room_id\":\"!r\",\"n\":{}}}\n",
                          number);
    }
    return parse_facts(std::move(body), BodyKind::ndjson, stream.format(), {}).value();
  }

  std::shared_ptr<const StreamFormat> format;
  TemporaryDatabase database;
  sim::VirtualRuntime runtime;
  sim::InlineLane lane{runtime};
  prometheus::Counter commit_count;
  prometheus::Counter pages_written;
  prometheus::Histogram commit_seconds{{1}};
  prometheus::Histogram facts_per_commit{{1}};
  std::unique_ptr<WatchedConnection> writer =
      std::make_unique<WatchedConnection>(database.connect_writer());
  std::unique_ptr<WatchedConnection> reader =
      std::make_unique<WatchedConnection>(database.connect_reader());
  Session session{"test", std::chrono::hours{1000}};
  std::unique_ptr<Committer> committer;
  std::unique_ptr<Streams> streams;

 private:
  std::optional<StreamKey> key_;
};

}  // namespace postrider
