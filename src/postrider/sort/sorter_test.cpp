#include "postrider/sort/sorter.hpp"

#include <prometheus/counter.h>

#include "postrider/sort/testing/fake_inboxes.hpp"
#include "postrider/sort/type_interest.hpp"
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
    sorter.start();
  }
  ~TypeSorterTest() override { run(sorter.stop()); }

  void ask_for(ServiceKey key, const std::string& types) {
    std::erase_if(inboxes.services, [key](const auto& each) { return each.service == key; });
    inboxes.services.push_back(
        {key, std::make_shared<const TypeInterest>(std::vector{types}, std::vector{all})});
    std::ranges::sort(inboxes.services, {}, &ServiceInterest::service);
    ++inboxes.version;
  }
  void append(std::string_view type) {
    auto batch = parse_facts(fmt::format(R"({{"type":"{}"}})", type), BodyKind::json, *format, {});
    ASSERT_TRUE(run(stream->append(std::move(batch).value(), std::nullopt)));
  }
  bool sort_all() {
    return runtime.run_until(
        [this] { return stream->sorted_through() == stream->linear_position(); });
  }

  using Positions = std::vector<std::int64_t>;

  const std::string all = "*";
  std::vector<ServiceKey> keys;
  FakeInboxes inboxes{runtime};
  prometheus::Counter facts_sorted;
  prometheus::Counter inbox_entries;
  prometheus::Counter facts_unwanted;
  std::unique_ptr<Stream> stream = open_stream();
  CountingPolicy policy;
  InterestCatalog catalog{runtime, lane, inboxes};
  Sorter sorter{runtime,
                *committer,
                Reader{lane, *reader},
                *stream,
                inboxes,
                DecidedBy{catalog, policy},
                SorterSettings{},
                SorterMetrics{facts_sorted, inbox_entries, facts_unwanted}};
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
  const auto decisions = sorter.watch(stream->writer());
  append("a");
  append("b");
  ASSERT_TRUE(sort_all());
  EXPECT_EQ(decisions->through(), StreamId{3});
  EXPECT_EQ(decisions->decisions().at(StreamId{2}), (ServiceSet{keys[0], keys[1]}));
  EXPECT_EQ(decisions->decisions().at(StreamId{3}), (ServiceSet{keys[1]}));
}

}  // namespace
}  // namespace postrider
