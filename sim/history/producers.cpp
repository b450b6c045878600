#include "sim/history/producers.hpp"

#include <fmt/format.h>

#include "postrider/stream/fact_parser.hpp"

namespace postrider::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t page_facts_max = 50;
constexpr int sent_again_permille = 100;
constexpr int old_token_permille = 200;

Async<Result<AppendReceipt>> append_to(Engine* engine, std::string stream, std::string body,
                                       std::optional<IdempotencyKey> key, bool is_refused) {
  CO_TRY(Stream* const found, co_await engine->streams().find_or_create(std::move(stream)));
  CO_TRY(auto facts, parse_facts(std::move(body), BodyKind::ndjson, found->format(), {}));
  if (is_refused) {
    AppendCondition refusal = [](SqlConnection&, IdRange) -> Result<bool> {
      return fail(Code::storage_refused, "refused by the history");
    };
    CO_TRY(const auto receipt, co_await found->append_if(std::move(facts), std::move(refusal)));
    co_return *receipt;
  }
  co_return co_await found->append(std::move(facts), std::move(key));
}

Async<Result<FactRun>> read_from(Engine* engine, std::string stream, StreamId after) {
  CO_TRY(Stream* const found, co_await engine->streams().find_or_create(std::move(stream)));
  co_return co_await found->read(after, page_facts_max, Stream::WithAttributes::no);
}

}  // namespace

Duration Producers::draw_pause() {
  return random_.between(Duration{0}, context_.plan.workload.mean_pause * 2);
}

void Producers::start() {
  begin_next();
}

void Producers::begin_next() {
  if (begun_ == context_.plan.workload.appends) return;
  ++begun_;
  ++open_;
  attempt(draw_append());
  context_.later(draw_pause(), [this] { begin_next(); });
}

PlainFact Producers::draw_fact() {
  static const std::vector<std::string> users = {
      "@irc_0:x", "@irc_1:x", "@irc_2:far", "@slack_0:x", "@human_0:x", "@human_1:x", "@bot_0:x"};
  static const std::vector<std::string> memberships = {"join", "join", "leave", "ban", "invite"};
  static const std::vector<std::string> aliases = {"#irc_0:x", "#slack_0:x", "#other:x"};
  PlainFact fact;
  fact.type = "m.room.message";
  fact.sender = random_.pick(users);
  fact.room = fmt::format("!r{}:x", random_.below(4));
  const auto kind = random_.below(10);
  if (kind < 3) {
    fact.type = "m.room.member";
    fact.state_key = random_.pick(users);
    fact.membership = random_.pick(memberships);
  } else if (kind == 3) {
    fact.type = "m.room.canonical_alias";
    fact.state_key = "";
    if (random_.chance(700)) fact.aliases = {random_.pick(aliases)};
  } else if (kind == 4) {
    fact.type = "m.reaction";
  }
  return fact;
}

std::shared_ptr<Producers::Append> Producers::draw_append() {
  const WorkloadPlan& plan = context_.plan.workload;
  auto append = std::make_shared<Append>();
  append->stream = fmt::format("s{}", random_.below(static_cast<std::uint64_t>(plan.streams)));
  const std::int64_t count = random_.between(1, plan.facts_max);
  for (std::int64_t i = 0; i < count; ++i) {
    PlainFact plain = draw_fact();
    const std::int64_t padding_max =
        random_.chance(plan.huge) ? huge_bytes : std::int64_t{plan.padding_max};
    const auto padding = static_cast<std::size_t>(random_.between(0, padding_max));
    const SentFact& fact = context_.ledger.send(append->stream, std::move(plain), padding);
    append->body += fact.payload;
    append->body += '\n';
    append->numbers.push_back(fact.number);
  }
  if (random_.chance(plan.keyed)) {
    append->key = IdempotencyKey{fmt::format("k{}", append->numbers.front()), append->body};
  }
  if (plan.refused > 0 && random_.chance(plan.refused)) {
    append->is_refused = true;
    append->key.reset();
  }
  return append;
}

void Producers::attempt(const std::shared_ptr<Append>& append) {
  Process* const process = context_.any(random_);
  if (process == nullptr) {
    context_.later(milliseconds{random_.between(50, 1000)}, [this, append] { attempt(append); });
    return;
  }
  context_.trace.note("append", append->stream, {append->numbers.front(), process->number()});
  process->call<Result<AppendReceipt>>(
      append_to(&process->engine(), append->stream, append->body, append->key, append->is_refused),
      [this, append](const std::optional<Result<AppendReceipt>>& receipt) {
        finish(append, receipt);
      });
}

void Producers::finish(const std::shared_ptr<Append>& append,
                       const std::optional<Result<AppendReceipt>>& receipt) {
  if (receipt && !*receipt) check_failure(*append, receipt->error().code);
  if (receipt && *receipt) {
    answered(*append, **receipt);
    --open_;
    if (append->key && !append->receipt) send_again_later(append);
    append->receipt = **receipt;
  } else if (append->key) {
    context_.later(milliseconds{random_.between(1, 3000)}, [this, append] { attempt(append); });
  } else {
    --open_;  // whether it is there, nobody knows
  }
}

void Producers::check_failure(const Append& append, Code code) {
  if (append.is_refused || code != Code::storage_refused) return;
  context_.referee.broken(Check::fails_alone,
                          fmt::format("an append of {} facts to {} failed by another one",
                                      append.numbers.size(), append.stream));
}

/// As a client does to whom the answer did not come.
void Producers::send_again_later(const std::shared_ptr<Append>& append) {
  if (!random_.chance(sent_again_permille)) return;
  ++open_;
  context_.later(milliseconds{random_.between(1, 60'000)}, [this, append] { attempt(append); });
}

void Producers::answered(const Append& append, const AppendReceipt& receipt) {
  context_.trace.note("append answered", append.stream,
                      {receipt.first.value, receipt.last.value, receipt.repeated ? 1 : 0});
  const std::int64_t places = receipt.last.value - receipt.first.value + 1;
  const std::int64_t count = std::ssize(append.numbers);
  if (append.is_refused) {
    context_.referee.broken(Check::fails_alone, "an append that the database refuses was answered");
    return;
  }
  const bool fits = context_.ids_have_gaps() ? places >= count : places == count;
  if (!fits || receipt.fact_count != count) {
    context_.referee.broken(Check::durable_append,
                            fmt::format("an append of {} facts was answered {} to {}",
                                        append.numbers.size(), receipt.first, receipt.last));
    return;
  }
  if (append.receipt && (!receipt.repeated || receipt.first != append.receipt->first)) {
    context_.referee.broken(
        Check::durable_append,
        fmt::format("an append that was answered {} to {} is answered {} to {}",
                    append.receipt->first, append.receipt->last, receipt.first, receipt.last));
    return;
  }
  context_.ledger.answered(append.stream, receipt.first, receipt.last, append.numbers);
}

void Followers::start() {
  for (const auto& [stream, declaration] : context_.plan.engine.streams.declared) {
    positions_[stream] = StreamId{};
    read(stream);
  }
}

/// Where it stands, or any place before it, as after a crash of its own.
StreamId Followers::draw_token(const std::string& stream) {
  const StreamId here = positions_[stream];
  if (here == StreamId{} || !random_.chance(old_token_permille)) return here;
  return StreamId{random_.between(0, here.value)};
}

void Followers::read(const std::string& stream) {
  const auto again = [this, stream] { read(stream); };
  const Duration pause = milliseconds{random_.between(100, 5000)};
  Process* const process = context_.any(random_);
  if (process == nullptr) return context_.later(pause, again);
  const StreamId after = draw_token(stream);
  process->call<Result<FactRun>>(
      read_from(&process->engine(), stream, after),
      [this, stream, after, pause, again](const std::optional<Result<FactRun>>& run) {
        if (run && *run) take(stream, after, **run);
        const bool gone = run && !*run && run->error().code == Code::position_gone;
        if (gone && context_.engine() != nullptr) {
          for (const Stream* each : context_.engine()->streams().all()) {
            if (each->name() != stream) continue;
            positions_[stream] = std::max(positions_[stream], each->dropped_through());
          }
        }
        context_.later(pause, again);
      });
}

void Followers::take(const std::string& stream, StreamId after, const FactRun& run) {
  std::map<std::int64_t, std::string> payloads;
  StreamId last = after;
  for (const Chunk& chunk : run.chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      if (id <= last) {
        context_.referee.broken(Check::token,
                                fmt::format("a reader of {} after {} got {}", stream, last, id));
      }
      payloads.emplace(id.value, chunk.payload(id));
      last = id;
    }
  }
  context_.ledger.seen_all(stream, after, last, payloads);
  if (run.chunks.empty() && run.unreadable) last = run.unreadable->ids.last;
  positions_[stream] = std::max(positions_[stream], last);
}

}  // namespace postrider::sim
