#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/counter.h>

#include "postrider/sort/sorter.hpp"
#include "postrider/sort/testing/fake_inboxes.hpp"
#include "postrider/sort/type_interest.hpp"
#include "postrider/store/decisions.hpp"
#include "postrider/store/testing/plain_service.hpp"
#include "postrider/stream/testing/stream_world.hpp"

namespace postrider {

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

/// A stream, its sorter, and two services that ask for types of facts.
class TypeSorterWorld : public StreamWorld {
 protected:
  TypeSorterWorld() {
    for (const char* id : {"a", "b"}) {
      keys.push_back(insert_plain_service(*writer, id, runtime.wall_now()));
    }
  }
  ~TypeSorterWorld() override { run(sorter->stop()); }

  void restart(SorterSettings settings = {}) {
    if (sorter) run(sorter->stop());
    sorter = std::make_unique<Sorter>(
        runtime, *committer, Reader{lane, *reader}, *stream, inboxes, tail,
        DecidedBy{catalog, policy}, settings,
        SorterMetrics{facts_sorted, inbox_entries, facts_unwanted, facts_quarantined});
    sorter->start();
  }

  void ask_for(ServiceKey key, const std::string& types) {
    std::erase_if(inboxes.services, [key](const auto& each) { return each.service == key; });
    inboxes.services.push_back(
        {key, std::make_shared<const TypeInterest>(std::vector{types}, std::vector{every_stream})});
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

  const std::string every_stream = "*";
  std::vector<ServiceKey> keys;
  FakeInboxes inboxes;
  DecisionTail tail{runtime};
  prometheus::Counter facts_sorted;
  prometheus::Counter inbox_entries;
  prometheus::Counter facts_unwanted;
  prometheus::Counter facts_quarantined;
  std::unique_ptr<Stream> stream = open_stream();
  CountingPolicy policy;
  InterestCatalog catalog{runtime, lane, inboxes};
  std::unique_ptr<Sorter> sorter;
};

}  // namespace postrider
