#include "postrider/stream/stream.hpp"

#include "postrider/store/blocks.hpp"
#include "postrider/stream/testing/shared_stream_world.hpp"

namespace postrider {
namespace {

using Chunks = std::vector<Chunk>;

class StreamTest : public StreamWorld {
 protected:
  Chunks read(Stream& stream, std::int64_t after, std::size_t facts_max = 10) {
    return run(stream.read(StreamId{after}, facts_max, Stream::WithAttributes::no)).value().chunks;
  }
};

constexpr StreamSettings no_tail{.tail_cache_bytes = 0};

std::vector<std::int64_t> range(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> ids;
  for (; first <= last; ++first) ids.push_back(first);
  return ids;
}

TEST_F(StreamTest, appends_get_consecutive_ids_and_are_read_back_byte_for_byte) {
  const auto stream = open_stream();
  const auto first = run(stream->append(facts(*stream, 3), std::nullopt)).value();
  const auto second = run(stream->append(facts(*stream, 2, 4), std::nullopt)).value();
  EXPECT_EQ(first.first, StreamId{1});
  EXPECT_EQ(first.last, StreamId{3});
  EXPECT_EQ(second.first, StreamId{4});
  EXPECT_EQ(second.fact_count, 2);
  EXPECT_EQ(stream->linear_position(), StreamId{5});
  const Chunks chunks = read(*stream, 3);
  EXPECT_EQ(ids_of(chunks), range(4, 5));
  EXPECT_EQ(chunks.front().payload(StreamId{5}),
            R"({"type":"t","sender":"@a:x","room_id":"!r","n":5})");
}

TEST_F(StreamTest, appends_of_one_commit_share_one_block) {
  const auto stream = open_stream(no_tail);
  Gate gate{runtime};
  auto append = [&](int from) -> Async<void> {
    EXPECT_TRUE(co_await stream->append(facts(*stream, 1, from), std::nullopt));
  };
  for (int i = 1; i <= 20; ++i) gate.spawn(append(i), "append");
  run(gate.drained());
  EXPECT_EQ(writer->commits, 1);
  const Chunks chunks = read(*stream, 0, 1);
  EXPECT_EQ(ids_of(chunks), range(1, 20));
}

TEST_F(StreamTest, an_append_without_a_coroutine_is_answered_after_its_commit) {
  const auto stream = open_stream({.waiting_bytes_max = 0});
  std::vector<Result<AppendReceipt>> receipts;
  const auto keep = [&](Result<AppendReceipt> receipt) { receipts.push_back(std::move(receipt)); };
  stream->append(facts(*stream, 2), keep);
  EXPECT_TRUE(receipts.empty());
  stream->append(facts(*stream, 1), keep);
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts.front().error().code, Code::overloaded);
  run(committer->drained());
  ASSERT_EQ(receipts.size(), 2U);
  EXPECT_EQ(receipts.back().value().last, StreamId{2});
}

TEST_F(StreamTest, a_failed_append_leaves_no_fact_and_its_ids_are_not_given_again) {
  const auto stream = open_stream(no_tail);
  EXPECT_TRUE(run(stream->append(facts(*stream, 2), std::nullopt)));
  writer->fail_commits = true;
  EXPECT_EQ(run(stream->append(facts(*stream, 3), std::nullopt)).error().code, Code::storage_full);
  EXPECT_EQ(stream->linear_position(), StreamId{2});
  writer->fail_commits = false;
  EXPECT_EQ(run(stream->append(facts(*stream, 1), std::nullopt)).value().first, StreamId{6});
  EXPECT_EQ(ids_of(read(*stream, 0)), (std::vector<std::int64_t>{1, 2, 6}));
}

TEST_F(StreamTest, who_appended_what_stays_in_doubt_is_answered_and_the_fact_is_there_once) {
  const auto stream = open_stream(no_tail);
  Gate gate{runtime};
  std::vector<Result<AppendReceipt>> receipts;
  const auto append = [&](int number) -> Async<void> {
    std::optional<IdempotencyKey> key = IdempotencyKey{"key", std::string(32, 'd')};
    receipts.push_back(co_await stream->append(facts(*stream, 1, number), std::move(key)));
  };
  writer->answers_lost = 1;
  writer->doubts = 1'000'000;
  gate.spawn(append(1), "append");
  runtime.run_for(std::chrono::seconds{20});
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].error().code, Code::storage_unavailable);
  EXPECT_TRUE(receipts[0].error().detail.contains("Idempotency-Key"));
  EXPECT_EQ(stream->linear_position(), StreamId{0});
  writer->doubts = 0;
  run(committer->drained());
  gate.spawn(append(1), "again");
  run(gate.drained());
  EXPECT_EQ(receipts.back().value().first, StreamId{1});
  EXPECT_EQ(ids_of(read(*stream, 0)), range(1, 1));
}

TEST_F(StreamTest, an_append_that_is_refused_fails_alone_among_those_of_its_commit) {
  constexpr int count = 9;
  const auto stream = open_stream(no_tail);
  for (int culprit = 0; culprit < count; ++culprit) {
    const StreamId before = stream->linear_position();
    Gate gate{runtime};
    std::vector<StreamId> firsts;
    const auto append = [&](int number) -> Async<void> {
      AppendCondition condition = [number, culprit](SqlConnection&, IdRange) -> Result<bool> {
        if (number == culprit) return fail(Code::storage_refused, "planted");
        return true;
      };
      const auto receipt =
          co_await stream->append_if(facts(*stream, 2, number), std::move(condition));
      EXPECT_EQ(receipt.has_value(), number != culprit);
      if (receipt) firsts.push_back((*receipt)->first);
    };
    for (int number = 0; number < count; ++number) gate.spawn(append(number), "append");
    run(gate.drained());
    ASSERT_EQ(firsts.size(), static_cast<std::size_t>(count - 1));
    EXPECT_TRUE(std::ranges::is_sorted(firsts));
    EXPECT_EQ(ids_of(read(*stream, before.value, 100)).size(), 2U * (count - 1));
  }
  EXPECT_TRUE(run(stream->append(facts(*stream, 1), std::nullopt)));
}

TEST_F(StreamTest, what_is_appended_while_a_commit_is_in_halves_comes_after_it) {
  const auto stream = open_stream(no_tail);
  Gate gate{runtime};
  std::vector<StreamId> firsts;
  const auto append = [&](int number) -> Async<void> {
    const auto receipt = co_await stream->append(facts(*stream, 1, number), std::nullopt);
    EXPECT_TRUE(receipt);
    if (receipt) firsts.push_back(receipt->first);
  };
  int asked = 0;
  const auto append_refused = [&]() -> Async<void> {
    AppendCondition condition = [&](SqlConnection&, IdRange) -> Result<bool> {
      gate.spawn(append(100 + asked), "during");
      ++asked;
      return fail(Code::storage_refused, "planted");
    };
    EXPECT_FALSE(co_await stream->append_if(facts(*stream, 1, 99), std::move(condition)));
  };
  gate.spawn(append(1), "before");
  gate.spawn(append_refused(), "refused");
  gate.spawn(append(2), "behind");
  run(gate.drained());
  EXPECT_GE(asked, 2);
  EXPECT_EQ(firsts.size(), 2U + static_cast<std::size_t>(asked));
  EXPECT_TRUE(std::ranges::is_sorted(firsts));
}

TEST_F(StreamTest, reads_the_same_from_memory_and_from_disk) {
  const auto warm = open_stream();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(run(warm->append(facts(*warm, 7, i), std::nullopt)));
  const auto cold = open_stream({}, StreamId{70});
  for (const std::int64_t after : {0, 1, 6, 7, 35, 69}) {
    for (const auto& stream : {warm.get(), cold.get()}) {
      std::vector<std::int64_t> seen;
      StreamId at{after};
      while (at < StreamId{70}) {
        const Chunks chunks = read(*stream, at.value, 5);
        ASSERT_FALSE(chunks.empty());
        const auto some = ids_of(chunks);
        seen.insert(seen.end(), some.begin(), some.end());
        at = chunks.back().last();
      }
      EXPECT_EQ(seen, range(after + 1, 70));
    }
  }
  EXPECT_TRUE(read(*cold, 70).empty());
}

TEST_F(StreamTest, keys_are_read_again_from_facts_on_disk) {
  const auto stream = open_stream(no_tail);
  EXPECT_TRUE(run(stream->append(facts(*stream, 1), std::nullopt)));
  const Chunks chunks =
      run(stream->read(StreamId{0}, 1, Stream::WithAttributes::yes)).value().chunks;
  EXPECT_EQ(chunks.front().attributes(StreamId{1}).text(PlainFormat::sender), "@a:x");
}

TEST_F(StreamTest, readers_that_want_the_same_facts_at_once_read_the_disk_once) {
  const auto stream = open_stream(no_tail);
  EXPECT_TRUE(run(stream->append(facts(*stream, 100), std::nullopt)));
  reader->statements = 0;
  Gate gate{runtime};
  auto read_after = [&](StreamId after) -> Async<void> {
    const auto found = co_await stream->read(after, 1, Stream::WithAttributes::no);
    EXPECT_EQ(ids_of(found.value().chunks), range(after.value + 1, 100));
  };
  for (int i = 0; i < 50; ++i) gate.spawn(read_after(StreamId{i}), "read");
  run(gate.drained());
  EXPECT_EQ(reader->statements, 1);
}

TEST_F(StreamTest, a_damaged_block_ends_a_read_and_is_named_and_passed_by) {
  const auto stream = open_stream(no_tail);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(run(stream->append(facts(*stream, 2), std::nullopt)));
  damage_block(stream->key(), StreamId{4});
  const FactRun before = run(stream->read(StreamId{0}, 9, Stream::WithAttributes::no)).value();
  EXPECT_EQ(ids_of(before.chunks), range(1, 2));
  EXPECT_EQ(before.through, StreamId{2});
  ASSERT_TRUE(before.unreadable);
  EXPECT_EQ(before.unreadable->ids, (IdRange{StreamId{3}, StreamId{4}}));
  for (const StreamId after : {StreamId{2}, StreamId{3}}) {
    const FactRun at = run(stream->read(after, 9, Stream::WithAttributes::yes)).value();
    EXPECT_TRUE(at.chunks.empty());
    EXPECT_EQ(at.through, after);
    ASSERT_TRUE(at.unreadable);
    EXPECT_EQ(at.unreadable->ids, (IdRange{StreamId{3}, StreamId{4}}));
  }
  EXPECT_EQ(ids_of(read(*stream, 4)), range(5, 6));
}

TEST_F(StreamTest, a_fact_that_breaks_a_rule_of_its_format_is_the_only_one_that_is_passed_by) {
  const auto stream = open_stream(no_tail);
  auto batch = std::make_shared<FactBatch>(std::string(R"({"type":"a"}{"type":7}{"type":"b"})"));
  batch->add_payload(0, 12);
  batch->add_payload(12, 10);
  batch->add_payload(22, 12);
  EXPECT_TRUE(run(stream->append(batch, std::nullopt)));
  const FactRun before = run(stream->read(StreamId{0}, 9, Stream::WithAttributes::yes)).value();
  EXPECT_EQ(ids_of(before.chunks), range(1, 1));
  ASSERT_TRUE(before.unreadable);
  EXPECT_EQ(before.unreadable->ids, (IdRange{StreamId{2}, StreamId{2}}));
  const FactRun after = run(stream->read(StreamId{2}, 9, Stream::WithAttributes::yes)).value();
  EXPECT_EQ(ids_of(after.chunks), range(3, 3));
  EXPECT_FALSE(after.unreadable);
}

TEST_F(StreamTest, facts_that_retention_dropped_are_gone_for_readers) {
  const auto stream = open_stream();
  EXPECT_TRUE(run(stream->append(facts(*stream, 10), std::nullopt)));
  stream->set_dropped_through(StreamId{5});
  EXPECT_EQ(run(stream->read(StreamId{4}, 1, Stream::WithAttributes::no)).error().code,
            Code::position_gone);
  EXPECT_EQ(ids_of(read(*stream, 5)), range(6, 10));
}

TEST_F(StreamTest, a_reader_whose_facts_are_dropped_while_it_waits_gets_no_silent_gap) {
  const auto stream = open_stream(no_tail);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(run(stream->append(facts(*stream, 1), std::nullopt)));
  const WallTime later = runtime.wall_now() + std::chrono::hours{1};
  ASSERT_TRUE(drop_blocks(*writer, stream->key(), StreamId{3}, later, 9));
  ASSERT_TRUE(set_dropped_through(*writer, stream->key(), StreamId{2}));
  // The stream is told after the commit; a read that began before must not skip what is gone.
  EXPECT_EQ(run(stream->read(StreamId{1}, 9, Stream::WithAttributes::no)).error().code,
            Code::position_gone);
  EXPECT_EQ(ids_of(read(*stream, 2)), range(3, 3));
}

TEST_F(StreamTest, appends_are_refused_while_too_many_bytes_wait_for_the_disk) {
  const auto stream = open_stream({.waiting_bytes_max = 1});
  Gate gate{runtime};
  std::vector<Code> refused;
  auto append = [&]() -> Async<void> {
    const auto receipt = co_await stream->append(facts(*stream, 1), std::nullopt);
    if (!receipt) refused.push_back(receipt.error().code);
  };
  gate.spawn(append(), "first");
  gate.spawn(append(), "second");
  run(gate.drained());
  EXPECT_EQ(refused, std::vector<Code>{Code::overloaded});
  EXPECT_TRUE(run(stream->append(facts(*stream, 1), std::nullopt)));
}

TEST_F(StreamTest, all_streams_share_what_may_wait_for_the_disk) {
  StreamsSettings settings;
  settings.auto_create = true;
  settings.default_format = "plain";
  settings.each.waiting_bytes_max = 1;
  settings.make_format = [](std::string_view, const std::map<std::string, std::string>&) {
    return std::shared_ptr<const StreamFormat>(std::make_shared<const PlainFormat>());
  };
  Streams all(runtime, *committer, Reader{lane, *reader}, settings, StreamMetrics{facts_per_commit},
              nullptr);
  Stream* const a = run(all.find_or_create("a")).value();
  Stream* const b = run(all.find_or_create("b")).value();
  Gate gate{runtime};
  std::vector<std::string> refused;
  auto append = [&](Stream* to) -> Async<void> {
    const auto receipt = co_await to->append(facts(*to, 1), std::nullopt);
    if (!receipt) refused.push_back(to->name());
  };
  gate.spawn(append(a), "a");
  gate.spawn(append(b), "b");
  run(gate.drained());
  EXPECT_EQ(refused, std::vector<std::string>{"b"});
  EXPECT_TRUE(run(b->append(facts(*b, 1), std::nullopt)));
}

TEST_F(StreamTest, updates_of_a_writer_that_is_gone_may_come_late_and_twice) {
  const auto stream = open_stream();
  const InstanceKey own{0};
  const InstanceKey other{7};
  const auto list = [&](std::int64_t of_own, std::int64_t of_other, bool other_lives) {
    return WriterList{SessionKey{0},
                      {{own, StreamId{of_own}, true}, {other, StreamId{of_other}, other_lives}}};
  };
  stream->apply_writer_list(list(0, 0, true));
  const Chunk chunk{StreamId{1}, 0, 5, WallTime{}, facts(*stream, 5), other};
  const WriterUpdate update{other, StreamId{0}, StreamId{5}, SessionKey{0}, {chunk}, {}, true};
  stream->apply_remote_update(update);
  stream->apply_remote_update({own, StreamId{0}, StreamId{10}, SessionKey{0}, {}, {}, true});
  EXPECT_EQ(ids_of(read(*stream, 0)), range(1, 5));
  stream->apply_writer_list(list(10, 5, false));
  EXPECT_EQ(stream->linear_position(), StreamId{10});
  stream->apply_remote_update(update);
  EXPECT_EQ(ids_of(read(*stream, 0)), range(1, 5));
}

class IdempotentAppend : public StreamWorld {
 protected:
  Result<AppendReceipt> append(Stream& stream, std::string digest, int count) {
    return run(stream.append(facts(stream, count), IdempotencyKey{"key", std::move(digest)}));
  }
};

TEST_F(IdempotentAppend, a_retry_gets_the_first_answer_also_after_a_restart) {
  const auto stream = open_stream();
  const auto first = append(*stream, "digest", 3).value();
  EXPECT_FALSE(first.repeated);
  const auto restarted = open_stream({}, StreamId{3});
  for (Stream* each : {stream.get(), restarted.get()}) {
    const auto again = append(*each, "digest", 3).value();
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(again.first, first.first);
    EXPECT_EQ(again.last, first.last);
    EXPECT_EQ(again.fact_count, 3);
    EXPECT_EQ(each->linear_position(), StreamId{3});
  }
}

TEST_F(IdempotentAppend, the_key_of_another_body_is_refused) {
  const auto stream = open_stream();
  EXPECT_TRUE(append(*stream, "digest", 1));
  EXPECT_EQ(append(*stream, "other", 1).error().code, Code::idempotency_key_reused);
}

TEST_F(IdempotentAppend, retries_at_the_same_time_append_once) {
  const auto stream = open_stream();
  Gate gate{runtime};
  std::vector<AppendReceipt> receipts;
  auto once = [&]() -> Async<void> {
    std::optional<IdempotencyKey> key = IdempotencyKey{"key", "digest"};
    auto receipt = co_await stream->append(facts(*stream, 2), std::move(key));
    receipts.push_back(receipt.value());
  };
  for (int i = 0; i < 5; ++i) gate.spawn(once(), "append");
  run(gate.drained());
  ASSERT_EQ(receipts.size(), 5U);
  for (const auto& receipt : receipts) EXPECT_EQ(receipt.last, StreamId{2});
  EXPECT_EQ(stream->linear_position(), StreamId{2});
}

TEST_F(IdempotentAppend, a_key_whose_append_failed_is_free_again) {
  const auto stream = open_stream();
  writer->fail_commits = true;
  EXPECT_FALSE(append(*stream, "digest", 1));
  writer->fail_commits = false;
  EXPECT_FALSE(append(*stream, "digest", 1).value().repeated);
}

TEST_F(IdempotentAppend, a_key_is_forgotten_after_its_time) {
  const auto stream = open_stream({.idempotency_retain = std::chrono::hours{1}});
  EXPECT_TRUE(append(*stream, "digest", 1));
  runtime.run_for(std::chrono::hours{1});
  EXPECT_TRUE(append(*stream, "digest", 1).value().repeated);
  runtime.run_for(std::chrono::milliseconds{1});
  EXPECT_FALSE(append(*stream, "digest", 1).value().repeated);
}

using SharedStream = SharedStreamWorld;

TEST_F(SharedStream, who_begins_to_write_waits_until_it_knows_who_may_write_below) {
  stream->apply_writer_list({SessionKey{1}, {{session.instance(), StreamId{0}, true}}});
  EXPECT_FALSE(stream->needs_writer_list());
  ASSERT_TRUE(prepare_ids(*writer, stream->key(), StreamId{1000}));
  stream->begin_session({.allocated = StreamId{1000}, .newest_session = SessionKey{2}});
  EXPECT_TRUE(stream->needs_writer_list());
  EXPECT_TRUE(run(stream->append(facts(*stream, 1), std::nullopt)));
  ASSERT_TRUE(announced);
  EXPECT_EQ(announced->newest_session, SessionKey{2});
  EXPECT_EQ(stream->linear_position(), StreamId{0});
}

TEST_F(SharedStream, who_draws_ids_looks_up_the_newest_session_also_when_that_fails_at_first) {
  stream->begin_session({});
  writer->refused_once = "newest_session";
  EXPECT_TRUE(run(stream->append(facts(*stream, 1), std::nullopt)));
  EXPECT_TRUE(writer->refused_once.empty());
  ASSERT_TRUE(announced);
  EXPECT_EQ(announced->newest_session, session.key());
}

TEST_F(SharedStream, ids_that_were_drawn_without_a_look_at_the_newest_session_are_not_announced) {
  stream->begin_session({});
  writer->refused_once = "newest_session";
  writer->refusal = Code::storage_failed;
  EXPECT_FALSE(run(stream->append(facts(*stream, 1), std::nullopt)));
  EXPECT_EQ(stream->own_position(), StreamId{0});
  EXPECT_FALSE(announced);
  EXPECT_EQ(run(stream->append(facts(*stream, 1), std::nullopt)).value().first, StreamId{1001});
  ASSERT_TRUE(announced);
  EXPECT_EQ(announced->newest_session, session.key());
}

class ForgottenFacts : public SharedStreamWorld {
 protected:
  ForgottenFacts() { know_all_writers(); }

  std::vector<std::int64_t> read_all() {
    return ids_of(run(stream->read(StreamId{0}, 100, Stream::WithAttributes::no)).value().chunks);
  }
  /// With its facts, as over the bus.
  void receive(InstanceKey by, IdRange ids) {
    const auto count = static_cast<std::uint32_t>(ids.count());
    const Chunk chunk{
        ids.first, 0, count, runtime.wall_now(), facts(*stream, static_cast<int>(count)), by};
    commit_of(by, {ids});
    stream->apply_remote_update({.writer = by,
                                 .previous = StreamId{0},
                                 .position = ids.last,
                                 .newest_session = session.key(),
                                 .chunks = {chunk},
                                 .blocks = {},
                                 .is_complete = true});
  }
};

TEST_F(ForgottenFacts, of_a_writer_that_is_in_no_list_any_more_are_read_from_the_database) {
  commit_of(second, {{StreamId{1}, StreamId{5}}});
  receive(third, {StreamId{6}, StreamId{8}});
  EXPECT_EQ(read_all(), std::vector<std::int64_t>{});
  stream->apply_writer_list({session.key(),
                             {{session.instance(), StreamId{8}, true}, {third, StreamId{8}, true}},
                             StreamId{8}});
  EXPECT_EQ(stream->linear_position(), StreamId{8});
  EXPECT_EQ(read_all(), range(1, 8));
}

TEST_F(ForgottenFacts, of_the_session_before_are_read_from_the_database) {
  ASSERT_TRUE(run(stream->append(facts(*stream, 2), std::nullopt)));
  commit_of(session.instance(), {{StreamId{3}, StreamId{4}}});
  stream->begin_session({.allocated = StreamId{1000}, .newest_session = session.key()});
  stream->apply_writer_list(
      {session.key(), {{session.instance(), StreamId{1000}, true}}, StreamId{1000}});
  EXPECT_EQ(stream->linear_position(), StreamId{1000});
  EXPECT_EQ(read_all(), range(1, 4));
}

class WaitForPosition : public SharedStreamWorld {
 protected:
  WaitForPosition() { know_all_writers(); }
  ~WaitForPosition() override { run(gate.drained()); }

  void wait(PositionVector position) {
    gate.spawn(wait_until(std::move(position), runtime.now() + std::chrono::seconds{10}), "wait");
    runtime.run_for(std::chrono::milliseconds{1});
  }
  Async<void> wait_until(PositionVector position, MonoTime until) {
    outcome = co_await stream->wait_for(std::move(position), until, &is_given_up);
  }
  void receive(InstanceKey by, std::int64_t position) {
    stream->apply_remote_update(update_without_facts(by, StreamId{position}));
    runtime.run_for(std::chrono::milliseconds{1});
  }

  Gate gate{runtime};
  bool is_given_up = false;
  std::optional<Result<void>> outcome;
};

TEST_F(WaitForPosition, ends_when_it_is_given_up) {
  wait(PositionVector(StreamId{5}));
  stream->advanced().notify_all();
  runtime.run_for(std::chrono::milliseconds{1});
  EXPECT_FALSE(outcome);
  is_given_up = true;
  stream->advanced().notify_all();
  runtime.run_for(std::chrono::milliseconds{1});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, Code::deadline);
}

TEST_F(WaitForPosition, does_not_begin_when_it_is_given_up_already) {
  is_given_up = true;
  wait(PositionVector(StreamId{5}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, Code::deadline);
}

TEST_F(WaitForPosition, ends_when_the_writer_that_it_names_has_come_there) {
  wait(PositionVector(StreamId{0}, {{second, StreamId{5}}}));
  receive(third, 900);
  EXPECT_FALSE(outcome);
  receive(second, 4);
  EXPECT_FALSE(outcome);
  receive(second, 5);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(*outcome);
}

TEST_F(WaitForPosition, ends_when_that_writer_has_gone_beyond) {
  wait(PositionVector(StreamId{0}, {{second, StreamId{5}}}));
  receive(second, 700);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(*outcome);
}

TEST_F(WaitForPosition, ends_for_a_linear_one_when_the_slowest_writer_has_come_there) {
  wait(PositionVector(StreamId{5}));
  receive(second, 900);
  EXPECT_FALSE(outcome);
  receive(third, 5);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(*outcome);
}

TEST_F(WaitForPosition, is_an_error_when_the_time_is_over) {
  wait(PositionVector(StreamId{5}, {{second, StreamId{9}}}));
  receive(second, 900);
  runtime.run_for(std::chrono::seconds{10});
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().code, Code::deadline);
  EXPECT_EQ(outcome->error().detail,
            "stream \"events\" has not reached m5~7.9 here in time; it stands at m0~1.900~7.900");
}

/// An append whose first answer was lost, asked for again at a process that knows how far the
/// writers have come by then.
class ReplayedAppend : public SharedStreamWorld {
 protected:
  ReplayedAppend() {
    know_all_writers();
    EXPECT_TRUE(prepare_ids(*writer, stream->key(), StreamId{1000}));  // drawn by others
  }

  AppendReceipt append(int count) {
    std::optional<IdempotencyKey> key = IdempotencyKey{"key", "digest"};
    return run(stream->append(facts(*stream, count), std::move(key))).value();
  }
};

TEST_F(ReplayedAppend, has_a_token_that_claims_nothing_of_writers_that_are_behind) {
  const AppendReceipt first = append(3);
  const AppendReceipt again = append(3);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.token, first.token);
  EXPECT_EQ(again.token, PositionVector(StreamId{0}, {{session.instance(), StreamId{1003}}}));
}

TEST_F(ReplayedAppend, has_a_token_that_claims_nothing_of_what_came_later) {
  append(3);
  stream->apply_remote_update(update_without_facts(second, StreamId{1900}));
  stream->apply_remote_update(update_without_facts(third, StreamId{1900}));
  EXPECT_GT(stream->linear_position(), StreamId{1003});
  EXPECT_EQ(append(3).token, PositionVector(StreamId{1003}));
}

TEST_F(ReplayedAppend, has_a_token_also_when_its_facts_are_not_kept_any_more) {
  append(3);
  ASSERT_TRUE(drop_blocks(*writer, stream->key(), StreamId{1004}, WallTime::max(), 10));
  EXPECT_EQ(append(3).token, PositionVector(StreamId{1003}));
}

}  // namespace
}  // namespace postrider
