#include "postrider/outbox/outbox_drain.hpp"

#include <algorithm>
#include <utility>

#include <prometheus/counter.h>

#include "postrider/base/log.hpp"
#include "postrider/store/streams.hpp"

namespace postrider {
namespace {

constexpr Duration retry_delay = std::chrono::seconds{1};

using Rows = std::vector<const OutboxRow*>;

std::string ids_of(const Rows& rows) {
  std::vector<std::int64_t> ids;
  for (const OutboxRow* row : rows) ids.push_back(row->id);
  return row_id_list(ids);
}

/// What is read at once must be appended at once.
OutboxSettings within(const FactLimits& facts, OutboxSettings settings) {
  settings.limits.rows_max = std::min(settings.limits.rows_max, facts.batch_facts_max);
  settings.limits.fact_bytes_max = facts.fact_bytes_max;
  return settings;
}

/// What `jsonb` becomes as text has no line breaks.
std::string lines_of(const Rows& rows) {
  std::string lines;
  for (const OutboxRow* row : rows) {
    lines += *row->payload;
    lines += '\n';
  }
  return lines;
}

std::unexpected<Error> another_drains_it() {
  return fail(Code::conflict, "another process takes facts from it too; this one begins again");
}

}  // namespace

/// Rows of one batch for one stream.
struct OutboxDrain::Group {
  std::string stream;
  Rows rows;
  Result<void> outcome;
};

/// What rows are as facts.
struct OutboxDrain::Parsed {
  std::shared_ptr<const FactBatch> facts;  ///< null when none of the rows is one
  std::string row_ids;                     ///< of those that are
  std::vector<std::pair<const OutboxRow*, std::string>> refused;

  static Parsed parse(const Rows& rows, const StreamFormat& format, const FactLimits& limits);
};

OutboxDrain::Parsed OutboxDrain::Parsed::parse(const Rows& rows, const StreamFormat& format,
                                               const FactLimits& limits) {
  Parsed parsed;
  Rows good;
  for (const OutboxRow* row : rows) {
    if (row->payload) {
      good.push_back(row);
      continue;
    }
    parsed.refused.emplace_back(
        row, fmt::format("the payload has {} bytes; append.fact_bytes_max allows {}",
                         row->payload_bytes, limits.fact_bytes_max));
  }
  auto facts = parse_facts(lines_of(good), BodyKind::ndjson, format, limits);
  if (!facts) {
    std::erase_if(good, [&](const OutboxRow* row) {
      // As it stands among others: an array would be a body of its own.
      const auto alone = parse_facts(lines_of({row}), BodyKind::ndjson, format, limits);
      if (!alone) parsed.refused.emplace_back(row, alone.error().detail);
      return !alone;
    });
    facts = parse_facts(lines_of(good), BodyKind::ndjson, format, limits);
  }
  if (!facts) return parsed;
  parsed.facts = *std::move(facts);
  parsed.row_ids = ids_of(good);
  return parsed;
}

Duration outbox_pause(Duration poll_interval, Duration since_rows) {
  return std::clamp(since_rows / 10, poll_interval / 10, poll_interval);
}

OutboxDrain::OutboxDrain(Runtime& runtime, OutboxPort port, Reader installation, Commits& commits,
                         Streams& streams, OutboxSettings settings, FactLimits facts,
                         OutboxMetrics metrics)
    : runtime_(runtime),
      port_(std::move(port)),
      installation_(installation),
      commits_(commits),
      streams_(streams),
      facts_(facts),
      settings_(within(facts, settings)),
      metrics_(metrics),
      stop_requested_(runtime),
      gate_(runtime) {}

void OutboxDrain::start() {
  gate_.spawn(run(), "outbox");
}

void OutboxDrain::request_stop() {
  stopping_ = true;
  stop_requested_.notify_all();
}

Async<void> OutboxDrain::stopped() {
  co_await gate_.drained();
}

Async<void> OutboxDrain::run() {
  while (!stopping_) {
    const Result<bool> drained = co_await drain_batch();
    report(drained);
    const MonoTime now = runtime_.now();
    if (drained && *drained) {
      rows_came_at_ = now;
      continue;
    }
    const Duration pause =
        drained ? outbox_pause(settings_.poll_interval, now - rows_came_at_) : retry_delay;
    if (!stopping_) co_await stop_requested_.wait_until(now + pause);
  }
}

void OutboxDrain::report(const Result<bool>& outcome) {
  const std::string failure = outcome ? "" : outcome.error().detail;
  // What failed may have happened nevertheless, and another process may drain it too.
  if (!outcome) outbox_.clear();
  const bool is_news = failure != last_failure_ && !stopping_;
  if (is_news && !outcome) {
    log_warn("outbox: no facts are taken from it, which is tried again: {}", failure);
  }
  if (is_news && outcome) log_info("outbox: facts are taken from it again");
  last_failure_ = failure;
}

/// True when there may be more.
Async<Result<bool>> OutboxDrain::drain_batch() {
  if (outbox_.empty()) CO_TRY_VOID(co_await open());
  CO_TRY(const std::vector<OutboxRow> rows, co_await read_rows());
  if (rows.empty()) {
    CO_TRY_VOID(co_await forget_deleted_rows());
    co_return false;
  }
  CO_TRY_VOID(co_await append_all(&rows));
  // What became facts is deleted with the next reading.
  co_return true;
}

Async<Result<void>> OutboxDrain::open() {
  auto identify = [this]() -> Result<std::string> {
    if (!connection_) {
      TRY(connection_, port_.connect());
    }
    return read_outbox_identity(*connection_);
  };
  CO_TRY(std::string outbox, co_await run_on(port_.lane, identify));
  auto read = [this, &outbox] { return read_outbox_batches(installation_.connection, outbox); };
  CO_TRY(std::vector<OutboxBatch> batches, co_await run_on(installation_.lane, read));
  batches_.clear();
  rows_to_delete_.clear();
  for (OutboxBatch& batch : batches) {
    if (!batch.row_ids.empty()) rows_to_delete_.push_back(batch.row_ids);
    batches_[batch.stream] = std::move(batch);
  }
  outbox_ = std::move(outbox);
  co_return Result<void>{};
}

Async<Result<std::vector<OutboxRow>>> OutboxDrain::read_rows() {
  auto work = [this]() -> Result<std::vector<OutboxRow>> {
    std::vector<OutboxRow> rows;
    TRY_VOID(transact(*connection_, [&]() -> Result<void> {
      for (const std::string& row_ids : rows_to_delete_) {
        TRY_VOID(delete_outbox_rows(*connection_, row_ids));
      }
      TRY(rows, read_outbox_rows(*connection_, settings_.limits));
      return {};
    }));
    return rows;
  };
  auto rows = co_await run_on(port_.lane, work);
  if (rows) rows_to_delete_.clear();
  co_return rows;
}

Async<Result<void>> OutboxDrain::append_all(const std::vector<OutboxRow>* rows) {
  std::map<std::string, Group> groups;
  for (const OutboxRow& row : *rows) {
    Group& group = groups[row.stream];
    group.stream = row.stream;
    group.rows.push_back(&row);
  }
  // Together, so that all streams share a commit.
  Gate appends(runtime_);
  for (auto& [name, group] : groups) appends.spawn(append_group(&group), "outbox append");
  co_await appends.drained();
  for (const auto& [name, group] : groups) {
    if (!group.outcome) co_return std::unexpected(group.outcome.error());
  }
  co_return Result<void>{};
}

Async<void> OutboxDrain::append_group(Group* group) {
  const auto stream = co_await streams_.find_or_create(group->stream);
  if (stream) {
    group->outcome = co_await append_rows(*stream, &group->rows);
    co_return;
  }
  group->outcome = std::unexpected(stream.error());
  if (stream.error().code != Code::not_found) co_return;
  const Result<bool> exists = co_await is_stored(group->stream);
  if (exists && !*exists) group->outcome = co_await set_aside(&group->rows, stream.error().detail);
}

/// Another process may have made the stream, which this one does not know yet.
Async<Result<bool>> OutboxDrain::is_stored(std::string name) {
  auto work = [this] { return read_streams(installation_.connection); };
  CO_TRY(const auto rows, co_await run_on(installation_.lane, work));
  co_return std::ranges::find(rows, name, &StreamRow::name) != rows.end();
}

Async<Result<void>> OutboxDrain::append_rows(Stream* stream, const Rows* rows) {
  auto parse = [this, stream, rows] { return Parsed::parse(*rows, stream->format(), facts_); };
  const Parsed parsed = co_await run_on(port_.lane, parse);
  // After this no other process can have made facts of those that are set aside here.
  if (!parsed.refused.empty()) CO_TRY_VOID(co_await claim(stream->key()));
  for (const auto& [row, reason] : parsed.refused) {
    const Rows one = {row};
    CO_TRY_VOID(co_await set_aside(&one, reason));
  }
  if (!parsed.facts) {
    if (parsed.refused.empty()) {
      co_return fail(Code::internal, "rows of the outbox that are neither facts nor refused");
    }
    co_return Result<void>{};
  }
  const OutboxBatch before = batches_[stream->key()];
  stream->ensure_ids_above(before.last);
  OutboxBatch batch{stream->key(), before.number + 1, {}, parsed.row_ids};
  AppendCondition is_next = [outbox = outbox_, batch](SqlConnection& connection,
                                                      IdRange ids) mutable {
    batch.last = ids.last;
    return put_outbox_batch(connection, outbox, batch, ids.first);
  };
  if (stopping_) co_return fail(Code::stopping, "this process takes no more facts from it");
  CO_TRY(const auto receipt, co_await stream->append_if(parsed.facts, std::move(is_next)));
  if (!receipt) co_return another_drains_it();
  metrics_.facts.Increment(static_cast<double>(parsed.facts->size()));
  batch.last = receipt->last;
  rows_to_delete_.push_back(batch.row_ids);
  batches_[stream->key()] = std::move(batch);
  co_return Result<void>{};
}

Async<Result<void>> OutboxDrain::set_aside(const Rows* rows, std::string reason) {
  const std::string row_ids = ids_of(*rows);
  auto work = [this, &row_ids, &reason] {
    return refuse_outbox_rows(*connection_, row_ids, reason);
  };
  CO_TRY_VOID(co_await run_on(port_.lane, work));
  metrics_.refused.Increment(static_cast<double>(rows->size()));
  log_warn(
      "outbox: {} rows cannot become facts of stream \"{}\" and are put aside, the first is {}: {}",
      rows->size(), rows->front()->stream, rows->front()->id, reason);
  co_return Result<void>{};
}

/// When all rows are deleted, the database stops naming them: an outbox that is restored from a
/// backup may give their IDs out again.
Async<Result<void>> OutboxDrain::forget_deleted_rows() {
  std::vector<OutboxBatch> emptied;
  for (const auto& [stream, batch] : batches_) {
    if (!batch.row_ids.empty()) emptied.push_back({stream, batch.number + 1, batch.last, ""});
  }
  if (emptied.empty()) co_return Result<void>{};
  co_return co_await put_batches(&emptied);
}

/// The rows of the last batch are deleted already. Fails when another process drains the outbox
/// too.
Async<Result<void>> OutboxDrain::claim(StreamKey stream) {
  const OutboxBatch& last = batches_[stream];
  const std::vector<OutboxBatch> claimed = {{stream, last.number + 1, last.last, ""}};
  co_return co_await put_batches(&claimed);
}

Async<Result<void>> OutboxDrain::put_batches(const std::vector<OutboxBatch>* batches) {
  bool are_next = true;
  std::function<Result<void>(SqlConnection&)> apply =
      [this, batches, &are_next](SqlConnection& connection) -> Result<void> {
    are_next = true;
    for (const OutboxBatch& batch : *batches) {
      TRY(const bool is_next, put_outbox_batch(connection, outbox_, batch, batch.last.plus(1)));
      are_next = are_next && is_next;
    }
    return {};
  };
  CO_TRY_VOID(co_await commits_.commit(std::move(apply)));
  if (!are_next) co_return another_drains_it();
  for (const OutboxBatch& batch : *batches) batches_[batch.stream] = batch;
  co_return Result<void>{};
}

}  // namespace postrider
