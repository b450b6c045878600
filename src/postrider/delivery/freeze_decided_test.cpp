// The commit that decides on facts freezes the transactions of idle services.
#include "postrider/delivery/testing/delivery_world.hpp"
#include "postrider/delivery/testing/fact_numbers.hpp"

namespace postrider {
namespace {

using sim::ScriptedReceiver;
using std::chrono::seconds;

class FreezeDecided : public DeliveryWorld {
 protected:
  /// Stands in for the sorter in one commit.
  class Decision final : public CommitParticipant {
   public:
    Decision(FreezeDecided& test, Stream& stream, const FactRun& run, ServiceSet services,
             std::vector<StreamId> positions)
        : test_(test),
          stream_(stream),
          run_(run),
          services_(std::move(services)),
          positions_(std::move(positions)) {}

    bool prepare(CommitBudget& budget) override {
      std::map<ServiceKey, std::vector<StreamId>> by_service;
      for (const ServiceKey service : services_) by_service[service] = positions_;
      write_ = test_.registry->prepare_inboxes(
          {stream_.key(), stream_.name(), run_.chunks, by_service, budget.transactions});
      test_.frozen = write_ != nullptr;
      return true;
    }
    Result<void> apply(SqlConnection& connection) override {
      return write_ ? write_->apply(connection) : Result<void>{};
    }
    void finish(const Result<void>& outcome) override {
      if (outcome) {
        for (const ServiceKey service : services_) {
          test_.registry->add_to_inbox(service, stream_.key(), positions_,
                                       test_.runtime.wall_now());
        }
      }
      if (write_) write_->finish(outcome.has_value());
    }

   private:
    FreezeDecided& test_;
    Stream& stream_;
    const FactRun& run_;
    ServiceSet services_;
    std::vector<StreamId> positions_;
    std::unique_ptr<InboxWrite> write_;
  };

  /// Appends facts, and decides in one commit that the services get them.
  Result<void> decide_on(const std::vector<std::string>& service_ids, int count, int from = 1) {
    return decide_on(*stream, service_ids, count, from);
  }
  Result<void> decide_on(Stream& of, const std::vector<std::string>& service_ids, int count,
                         int from) {
    const auto receipt = run(of.append(facts(of, count, from), std::nullopt)).value();
    const auto facts_of =
        of.read_memory(receipt.first.plus(-1), 10'000, Stream::WithAttributes::no);
    const std::vector<StreamId> positions = ids(run_of(receipt.first.value, receipt.last.value));
    ServiceSet services;
    for (const std::string& id : service_ids) services.push_back(registry->find(id)->row.key);
    Decision decision(*this, of, *facts_of, services, positions);
    committer->join_next(decision);
    std::function<Result<void>(SqlConnection&)> nothing = [](SqlConnection&) {
      return Result<void>{};
    };
    const Result<void> committed = run(committer->commit(std::move(nothing)));
    if (committed) decide(of.key(), {{services, numbers(positions)}});
    return committed;
  }
  Numbers taken() const {
    Numbers taken;
    for (const auto& arrival : receiver.arrivals) {
      const Numbers numbers = numbers_in(arrival.body);
      taken.insert(taken.end(), numbers.begin(), numbers.end());
    }
    return taken;
  }
  bool frozen = false;
};

TEST_F(FreezeDecided, an_idle_service_needs_no_other_commit) {
  put_service("a");
  receiver.latency = seconds{1};
  writer->commits = 0;
  ASSERT_TRUE(decide_on({"a"}, 3));
  EXPECT_TRUE(frozen);
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  EXPECT_EQ(writer->commits, 3);  // the append, this one, and the row that the test decides
  EXPECT_EQ(stored_cursor("a"), (DeliveryCursor{.acknowledged = {},
                                                .transaction = TransactionNumber{1},
                                                .frozen = {StreamId{3}},
                                                .delivered = 0}));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(3));
  EXPECT_EQ(stored_cursor("a").acknowledged, StreamId{3});
  EXPECT_TRUE(stored_cursor("a").frozen.empty());
  EXPECT_FALSE(registry->find("a")->has_unsaved());
}

TEST_F(FreezeDecided, what_does_not_fit_into_the_first_transaction_follows) {
  put_service("a");
  ASSERT_TRUE(decide_on({"a"}, 250));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(receiver.arrivals.size(), 3U);
  EXPECT_EQ(numbers_in(receiver.arrivals[0].body).size(), settings.limits.facts_max);
  EXPECT_EQ(taken(), all_to(250));
}

TEST_F(FreezeDecided, a_transaction_of_too_many_bytes_ends_before) {
  settings.limits.bytes_max = 200;
  restart();
  put_service("a");
  ASSERT_TRUE(decide_on({"a"}, 10));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_GT(receiver.arrivals.size(), 2U);
  EXPECT_EQ(taken(), all_to(10));
}

TEST_F(FreezeDecided, nothing_is_sent_when_the_commit_fails_and_later_it_is) {
  put_service("a");
  std::function<void()> fail_next = [this] { writer->fail_commits = true; };
  writer->before_commit = [&] { writer->before_commit = fail_next; };  // not the append
  EXPECT_FALSE(decide_on({"a"}, 3));
  EXPECT_TRUE(frozen);
  writer->fail_commits = false;
  runtime.run_for(seconds{5});
  EXPECT_TRUE(receiver.arrivals.empty());
  EXPECT_TRUE(stored_cursor("a").frozen.empty());
  EXPECT_FALSE(registry->find("a")->delivering);
  ASSERT_TRUE(decide_on({"a"}, 2, 11));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(12, 11));
  EXPECT_TRUE(receiver.arrivals[0].url.ends_with("-1"));
}

TEST_F(FreezeDecided, after_a_failure_and_a_restart_the_same_transaction_goes_out) {
  put_service("a");
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 500 : 200);
  };
  ASSERT_TRUE(decide_on({"a"}, 3));
  ASSERT_TRUE(runtime.run_until([this] { return receiver.arrivals.size() == 1; }));
  restart();
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_EQ(receiver.arrivals[0].body, receiver.arrivals[1].body);
  EXPECT_EQ(receiver.arrivals[0].url, receiver.arrivals[1].url);
}

TEST_F(FreezeDecided, a_busy_service_gets_it_after_what_is_under_way) {
  put_service("a");
  receiver.latency = seconds{1};
  ASSERT_TRUE(decide_on({"a"}, 3));
  ASSERT_TRUE(decide_on({"a"}, 3, 4));
  EXPECT_FALSE(frozen);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(6));
  EXPECT_EQ(receiver.arrivals.size(), 2U);
}

TEST_F(FreezeDecided, who_is_paused_or_down_or_has_no_url_is_sent_nothing) {
  put_service("paused");
  put_service("down");
  put_service("silent");
  ASSERT_TRUE(run(registry->pause("paused")));
  receiver.answer = [](std::size_t) { return ScriptedReceiver::status(500); };
  deliver("down", 1);
  ASSERT_TRUE(runtime.run_until([this] {
    return registry->find("down")->delivery.status == DeliveryStatus::down &&
           !registry->find("down")->delivering;
  }));
  PlainDocument document = document_of("silent");
  document.url.reset();
  ASSERT_TRUE(put(document));
  ASSERT_TRUE(decide_on({"paused", "down", "silent"}, 3, 2));
  EXPECT_FALSE(frozen);
}

TEST_F(FreezeDecided, a_pause_during_the_commit_keeps_it_for_later) {
  put_service("a");
  // The pause then writes its cursor too.
  registry->find("a")->streams[stream->key()].revision.change();
  Gate gate{runtime};
  const auto pause = [this]() -> Async<void> { EXPECT_TRUE(co_await registry->pause("a")); };
  writer->before_commit = [&] { writer->before_commit = [&] { gate.spawn(pause(), "pause"); }; };
  ASSERT_TRUE(decide_on({"a"}, 3));
  run(gate.drained());
  runtime.run_for(seconds{5});
  EXPECT_TRUE(receiver.arrivals.empty());
  EXPECT_EQ(stored_cursor("a").frozen, (std::vector{StreamId{3}}));
  restart();
  ASSERT_TRUE(run(registry->resume("a")));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(3));
}

TEST_F(FreezeDecided, a_service_that_is_deleted_during_the_commit_gets_nothing) {
  put_service("a");
  Gate gate{runtime};
  const auto remove = [this]() -> Async<void> { EXPECT_TRUE(co_await registry->remove("a")); };
  writer->before_commit = [&] { writer->before_commit = [&] { gate.spawn(remove(), "remove"); }; };
  ASSERT_TRUE(decide_on({"a"}, 3));
  run(gate.drained());
  EXPECT_FALSE(registry->find("a"));
  EXPECT_TRUE(read_cursors(*reader).value().empty());
}

TEST_F(FreezeDecided, a_change_that_is_not_on_disk_keeps_a_service_out_of_the_commit) {
  const auto service = put_service("a");
  service->revision.change();
  ASSERT_TRUE(decide_on({"a"}, 3));
  EXPECT_FALSE(frozen);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), all_to(3));
}

TEST_F(FreezeDecided, what_is_frozen_in_another_stream_goes_first) {
  Stream* const other = add_stream("other");
  const auto service = put_service("a");
  service->streams[other->key()].cursor.frozen = {StreamId{1}};  // and its fact is missing
  ASSERT_TRUE(decide_on({"a"}, 3));
  EXPECT_FALSE(frozen);
}

TEST_F(FreezeDecided, streams_of_one_commit_freeze_one_transaction_of_a_service) {
  Stream* const other = add_stream("other");
  put_service("a");
  receiver.latency = seconds{1};
  ASSERT_TRUE(decide_on({"a"}, 3));
  ASSERT_TRUE(decide_on(*other, {"a"}, 2, 101));
  EXPECT_FALSE(frozen);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(taken(), (Numbers{1, 2, 3, 101, 102}));
}

TEST_F(FreezeDecided, a_commit_freezes_a_bounded_number_of_transactions) {
  services_max = 1000;
  restart();
  const std::size_t max = CommitBudget{}.transactions;
  std::vector<std::string> all;
  for (std::size_t i = 0; i < max + 1; ++i) {
    all.push_back(fmt::format("s{}", i));
    put_service(all.back());
  }
  receiver.latency = seconds{1};
  const auto count_frozen = [](SqlConnection& connection) {
    const auto cursors = read_cursors(connection).value();
    return std::ranges::count_if(
        cursors, [](const StoredCursor& each) { return !each.cursor.frozen.empty(); });
  };
  std::int64_t at_commit = 0;
  writer->before_commit = [&] {
    writer->before_commit = [&] { at_commit = count_frozen(*writer); };
  };
  ASSERT_TRUE(decide_on(all, 1));
  EXPECT_EQ(at_commit, std::int64_t{max});
  ASSERT_TRUE(runtime.run_until([&] { return receiver.arrivals.size() == max + 1; }));
  EXPECT_EQ(count_frozen(*reader), std::int64_t{max} + 1);
  for (const std::string& id : all) ASSERT_TRUE(run_until_idle(id));
}

}  // namespace
}  // namespace postrider
