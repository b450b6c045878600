#include "postrider/sort/sorter.hpp"

#include <prometheus/counter.h>

#include "postrider/sort/testing/fake_inboxes.hpp"
#include "postrider/sort/type_interest.hpp"
#include "postrider/store/decisions.hpp"
#include "postrider/store/services.hpp"
#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {
namespace {

using std::chrono::seconds;

/// Sorts by type, and counts what it is asked for.
class CountingPolicy final : public InterestPolicy {
 public:
  [[nodiscard]] std::shared_ptr<const InterestRules> compile(
      std::vector<ServiceInterest> services,
      const std::shared_ptr<const InterestRules>& previous) const override {
    ++compiled;
    return types_.compile(std::move(services), previous);
  }
  [[nodiscard]] bool may_match(const Interest& interest, const std::string& name) const override {
    return types_.may_match(interest, name);
  }
  [[nodiscard]] std::unique_ptr<StreamInterest> open(StreamKey stream,
                                                     const std::string& name) const override {
    ++opened;
    return types_.open(stream, name);
  }

  mutable int compiled = 0;
  mutable int opened = 0;

 private:
  TypePolicy types_{PlainFormat::type};
};

class TypeSorterTest : public StreamWorld {
 protected:
  TypeSorterTest() {
    for (const char* id : {"a", "b"}) {
      const ServiceRow row{.key = {},
                           .id = id,
                           .source = ServiceSource::api,
                           .kind = "plain",
                           .document = "{}",
                           .transaction_prefix = "1"};
      keys.push_back(insert_service(*writer, row, runtime.wall_now()).value());
    }
    restart();
  }
  ~TypeSorterTest() override { run(sorter->stop()); }

  void restart(SorterSettings settings = {}) {
    if (sorter) run(sorter->stop());
    sorter = std::make_unique<Sorter>(runtime, *committer, Reader{lane, *reader}, *stream, inboxes,
                                      tail, DecidedBy{catalog, policy}, settings,
                                      SorterMetrics{facts_sorted, inbox_entries, facts_unwanted});
    sorter->start();
  }

  void ask_for(ServiceKey key, const std::string& types) {
    std::erase_if(inboxes.services, [key](const auto& each) { return each.service == key; });
    inboxes.services.push_back(
        {key, std::make_shared<const TypeInterest>(std::vector{types}, std::vector{all})});
    std::ranges::sort(inboxes.services, {}, &ServiceInterest::service);
    ++inboxes.version;
  }
  void append(std::string_view type) { append_together({type}); }
  void append_together(std::initializer_list<std::string_view> types) {
    std::string body;
    for (const std::string_view type : types) body += fmt::format("{{\"type\":\"{}\"}}\n", type);
    auto batch = parse_facts(std::move(body), BodyKind::ndjson, *format, {});
    ASSERT_TRUE(run(stream->append(std::move(batch).value(), std::nullopt)));
  }
  bool sort_all() {
    return runtime.run_until(
        [this] { return stream->sorted_through() == stream->linear_position(); });
  }

  std::vector<DecisionRow> stored_rows() {
    return std::move(read_decisions(*reader).value().front().rows);
  }
  /// The sorter has to wait until it is folded.
  void fill_tail() {
    tail.add({.after = stream->sorted_through().plus(-1),
              .through = stream->sorted_through(),
              .entries = 0,
              .appended_at = runtime.wall_now(),
              .data = std::string(DecisionTail::bytes_max, '\0')});
  }

  using Positions = std::vector<std::int64_t>;

  const std::string all = "*";
  std::vector<ServiceKey> keys;
  FakeInboxes inboxes;
  DecisionTail tail{runtime};
  prometheus::Counter facts_sorted;
  prometheus::Counter inbox_entries;
  prometheus::Counter facts_unwanted;
  std::unique_ptr<Stream> stream = open_stream();
  CountingPolicy policy;
  InterestCatalog catalog{runtime, lane, inboxes};
  std::unique_ptr<Sorter> sorter;
};

TEST_F(TypeSorterTest, gives_each_service_the_types_that_it_asks_for) {
  ask_for(keys[0], "order.*");
  ask_for(keys[1], "*");
  append("order.placed");
  append("user.created");
  append("order.paid");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1, 3}));
  EXPECT_EQ(inboxes.got[keys[1]], (Positions{1, 2, 3}));
}

TEST_F(TypeSorterTest, compiles_once_for_each_change_of_interests) {
  append("a");
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(policy.compiled, 1);
  ask_for(keys[0], "a");
  ask_for(keys[1], "b");
  append("a");
  ASSERT_TRUE(sort_all());
  append("a");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(policy.compiled, 2);
  EXPECT_EQ(policy.opened, 1);
}

TEST_F(TypeSorterTest, opens_the_state_of_interest_anew_after_a_commit_that_failed) {
  ask_for(keys[0], "a");
  append("a");
  writer->fail_commits = true;
  runtime.run_for(seconds{10});
  EXPECT_GT(policy.opened, 1);
  writer->fail_commits = false;
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1}));
  EXPECT_EQ(policy.compiled, 1);
}

TEST_F(TypeSorterTest, takes_no_state_over_that_another_process_has_gone_on_with) {
  ask_for(keys[0], "a");
  append("a");
  ASSERT_TRUE(sort_all());
  // It ended this one's session, which does not know that yet.
  ASSERT_TRUE(set_sorted_through(*writer, stream->key(), StreamId{9}, 0));
  ask_for(keys[1], "a");
  append("a");
  runtime.run_for(seconds{10});
  EXPECT_EQ(inboxes.got[keys[1]], (Positions{}));
  EXPECT_EQ(stream->sorted_through(), StreamId{1});
}

TEST_F(TypeSorterTest, counts_the_facts_that_nobody_wants) {
  ask_for(keys[0], "a");
  append("a");
  append("b");
  append("b");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(facts_unwanted.Value(), 2);
  EXPECT_EQ(stream->sorted().facts_unwanted, 2);
  EXPECT_EQ(read_streams(*reader).value()[0].facts_unwanted, 2);
}

TEST_F(TypeSorterTest, tells_who_asks_which_services_get_each_fact) {
  ask_for(keys[0], "a");
  ask_for(keys[1], "*");
  append("a");
  const auto decisions = sorter->watch(stream->writer());
  append("a");
  append("b");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(decisions->through(), StreamId{3});
  EXPECT_EQ(decisions->decisions().at(StreamId{2}), (ServiceSet{keys[0], keys[1]}));
  EXPECT_EQ(decisions->decisions().at(StreamId{3}), (ServiceSet{keys[1]}));
}

TEST_F(TypeSorterTest, writes_what_the_services_get_as_one_row_for_each_commit) {
  ask_for(keys[0], "a");
  ask_for(keys[1], "*");
  const WallTime appended_at = runtime.wall_now();
  append_together({"a", "b", "a", "c"});
  ASSERT_TRUE(sort_all());
  append("b");
  ASSERT_TRUE(sort_all());
  const auto rows = stored_rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].after, StreamId{0});
  EXPECT_EQ(rows[0].through, StreamId{4});
  EXPECT_EQ(rows[0].entries, 6);
  EXPECT_GE(rows[0].appended_at, appended_at);
  EXPECT_LE(rows[0].appended_at, runtime.wall_now());
  const auto groups = unpack_decisions(rows[0].after, rows[0].through, rows[0].data).value();
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].services, (ServiceSet{keys[0], keys[1]}));
  EXPECT_EQ(groups[0].positions, (std::vector<StreamId>{StreamId{1}, StreamId{3}}));
  EXPECT_EQ(groups[1].services, (ServiceSet{keys[1]}));
  EXPECT_EQ(groups[1].positions, (std::vector<StreamId>{StreamId{2}, StreamId{4}}));
  EXPECT_EQ(rows[1].after, StreamId{4});
  EXPECT_EQ(rows[1].through, StreamId{5});
  EXPECT_EQ(rows[1].entries, 1);
}

TEST_F(TypeSorterTest, keeps_in_memory_the_rows_that_are_on_disk) {
  ask_for(keys[0], "a");
  append_together({"a", "b"});
  append("a");
  ASSERT_TRUE(sort_all());
  const auto rows = stored_rows();
  ASSERT_EQ(tail.rows().size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(tail.rows()[i]->after, rows[i].after);
    EXPECT_EQ(tail.rows()[i]->through, rows[i].through);
    EXPECT_EQ(tail.rows()[i]->entries, rows[i].entries);
    EXPECT_EQ(tail.rows()[i]->appended_at, rows[i].appended_at);
    EXPECT_EQ(tail.rows()[i]->data, rows[i].data);
  }
}

TEST_F(TypeSorterTest, writes_no_row_about_facts_that_nobody_wants) {
  ask_for(keys[0], "a");
  append_together({"b", "b"});
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(read_sorted_through(*reader, stream->key()).value(), StreamId{2});
  EXPECT_TRUE(stored_rows().empty());
  EXPECT_TRUE(tail.rows().empty());
  append("a");
  ASSERT_TRUE(sort_all());
  ASSERT_EQ(stored_rows().size(), 1U);
  EXPECT_EQ(stored_rows().front().after, StreamId{2});
}

TEST_F(TypeSorterTest, ends_a_commit_with_the_fact_that_comes_to_the_most_entries) {
  restart({.entries_max = 3});
  ask_for(keys[0], "a");
  ask_for(keys[1], "*");
  append_together({"a", "a", "b", "a", "b", "b"});
  ASSERT_TRUE(sort_all());
  const auto rows = stored_rows();
  std::vector<std::int64_t> ends;
  std::vector<std::int64_t> entries;
  for (const DecisionRow& row : rows) {
    ends.push_back(row.through.value);
    entries.push_back(row.entries);
  }
  EXPECT_EQ(ends, (std::vector<std::int64_t>{2, 4, 6}));
  EXPECT_EQ(entries, (std::vector<std::int64_t>{4, 3, 2}));
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{1, 2, 4}));
  EXPECT_EQ(inboxes.got[keys[1]], (Positions{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(facts_sorted.Value(), 6);
  EXPECT_EQ(inbox_entries.Value(), 9);
}

TEST_F(TypeSorterTest, counts_facts_that_nobody_wants_once_when_a_commit_ends_among_them) {
  restart({.entries_max = 1});
  ask_for(keys[0], "a");
  append_together({"b", "a", "b", "b", "a", "b"});
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 5}));
  EXPECT_EQ(facts_sorted.Value(), 6);
  EXPECT_EQ(stream->sorted().facts_unwanted, 4);
  EXPECT_EQ(read_streams(*reader).value()[0].facts_unwanted, 4);
}

TEST_F(TypeSorterTest, waits_while_the_decisions_are_not_folded_and_then_goes_on) {
  ask_for(keys[0], "a");
  append("b");
  ASSERT_TRUE(sort_all());
  fill_tail();
  ASSERT_TRUE(tail.is_full());
  append("a");
  append("a");
  runtime.run_for(seconds{10});
  EXPECT_EQ(stream->sorted_through(), StreamId{1});
  EXPECT_TRUE(inboxes.got.empty());
  tail.fold(StreamId{1});
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(inboxes.got[keys[0]], (Positions{2, 3}));
}

TEST_F(TypeSorterTest, can_be_stopped_while_it_waits_for_decisions_to_be_folded) {
  append("b");
  ASSERT_TRUE(sort_all());
  fill_tail();
  append("a");
  runtime.run_for(seconds{10});
  const MonoTime before = runtime.now();
  run(sorter->stop());
  EXPECT_EQ(runtime.now(), before);
  EXPECT_EQ(stream->sorted_through(), StreamId{1});
}

TEST_F(TypeSorterTest, leaves_nothing_of_a_commit_that_failed) {
  ask_for(keys[0], "a");
  append("a");
  writer->fail_commits = true;
  runtime.run_for(seconds{10});
  EXPECT_TRUE(tail.rows().empty());
  EXPECT_EQ(tail.bytes(), 0U);
  EXPECT_TRUE(stored_rows().empty());
  writer->fail_commits = false;
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(tail.rows().size(), 1U);
  EXPECT_EQ(stored_rows().size(), 1U);
}

}  // namespace
}  // namespace postrider
