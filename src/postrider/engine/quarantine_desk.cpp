#include "postrider/engine/quarantine_desk.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "postrider/store/quarantine.hpp"
#include "postrider/stream/fact_parser.hpp"

namespace postrider {
namespace {

// They were admitted once, whatever the limits say today.
constexpr FactLimits stored_limits{.fact_bytes_max = std::numeric_limits<std::uint32_t>::max(),
                                   .batch_facts_max = std::numeric_limits<std::size_t>::max(),
                                   .json_depth_max = 1000};

std::unexpected<Error> no_entry(const std::string& stream, StreamId first) {
  return fail(Code::not_found,
              "nothing in quarantine begins with fact {} of stream \"{}\"; see `postrider"
              " quarantine list`",
              first, stream);
}

std::unexpected<Error> still_unreadable(const std::string& stream, IdRange ids,
                                        const std::string& cause) {
  return fail(
      Code::conflict,
      "facts {} to {} of stream \"{}\" still cannot be read: {}; restore them, or drop them",
      ids.first, ids.last, stream, cause);
}

}  // namespace

Async<Result<QuarantineDesk::List>> QuarantineDesk::list() {
  std::map<StreamKey, std::string> names;
  std::vector<QuarantineRow> rows;
  auto work = [this, &names, &rows]() -> Result<void> {
    TRY(rows, read_quarantined(reader_.connection, entries_max + 1));
    TRY(const auto streams, read_streams(reader_.connection));
    for (const StreamRow& stream : streams) names.emplace(stream.key, stream.name);
    return {};
  };
  CO_TRY_VOID(co_await run_on(reader_.lane, work));
  List list{.entries = {}, .has_more = std::ssize(rows) > entries_max};
  if (list.has_more) rows.pop_back();
  for (QuarantineRow& row : rows) {
    list.entries.push_back({names[row.stream], row.ids, std::move(row.cause), row.found_at});
  }
  co_return list;
}

Async<Result<AppendReceipt>> QuarantineDesk::retry(std::string stream, StreamId first) {
  Stream* const found = streams_.find(stream);
  if (found == nullptr) co_return no_entry(stream, first);
  auto find = [this, key = found->key(), first] {
    return find_quarantined(reader_.connection, key, first);
  };
  CO_TRY(const auto row, co_await run_on(reader_.lane, find));
  if (!row) co_return no_entry(stream, first);
  CO_TRY(std::string body, co_await read_facts(found, row->ids));
  auto facts = parse_facts(std::move(body), BodyKind::json, found->format(), stored_limits);
  if (!facts) co_return still_unreadable(stream, row->ids, facts.error().detail);
  AppendCondition is_there = [key = found->key(), first](SqlConnection& connection, IdRange) {
    return delete_quarantined(connection, key, first);
  };
  CO_TRY(auto receipt, co_await found->append_if(*std::move(facts), std::move(is_there)));
  if (!receipt) co_return no_entry(stream, first);
  co_return *std::move(receipt);
}

/// As the body of an append.
Async<Result<std::string>> QuarantineDesk::read_facts(Stream* stream, IdRange ids) {
  std::string body = "[";
  StreamId after = ids.first.plus(-1);
  while (after < ids.last) {
    const auto wanted = static_cast<std::size_t>(ids.last.value - after.value);
    CO_TRY(const FactRun run, co_await stream->read(after, wanted, Stream::WithAttributes::no));
    for (const Chunk& chunk : run.chunks) {
      const Chunk part = chunk.part(after, ids.last);
      for (std::uint32_t i = 0; i < part.count; ++i) {
        if (body.size() > 1) body += ',';
        body += part.batch->payload(part.begin + i);
      }
    }
    if (run.through >= ids.last) break;
    if (run.unreadable) {
      co_return still_unreadable(stream->name(), run.unreadable->ids, run.unreadable->cause);
    }
    if (run.through <= after) {
      co_return fail(
          Code::deadline,
          "this process does not know yet of all facts up to {} of stream \"{}\"; try again",
          ids.last, stream->name());
    }
    after = run.through;
  }
  co_return body + "]";
}

Async<Result<void>> QuarantineDesk::drop(std::string stream, StreamId first) {
  const Stream* const found = streams_.find(stream);
  if (found == nullptr) co_return no_entry(stream, first);
  bool was_there = false;
  Quarantine::Apply apply = [&was_there, key = found->key(),
                             first](SqlConnection& connection) -> Result<void> {
    TRY(was_there, delete_quarantined(connection, key, first));
    return {};
  };
  CO_TRY_VOID(co_await commits_.commit(std::move(apply)));
  if (!was_there) co_return no_entry(stream, first);
  co_return Result<void>{};
}

}  // namespace postrider
