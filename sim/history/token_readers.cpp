#include "sim/history/token_readers.hpp"

#include <fmt/format.h>

namespace postrider::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t page_facts_max = 50;
constexpr Duration wait_max = seconds{3};

}  // namespace

void TokenReaders::start() {
  if (!context_.is_fleet()) return;
  for (const auto& [stream, declaration] : context_.plan.engine.streams.declared) read(stream);
}

std::string TokenReaders::missing() const {
  for (const auto& [stream, cursor] : cursors_) {
    if (cursor.has_missed) continue;
    for (const auto& [id, number] : context_.ledger.positions(stream)) {
      if (cursor.numbers.contains(number) || !context_.ledger.answered_at(number)) continue;
      return fmt::format("a reader of {} at {} has not got {}", stream, cursor.position.token(),
                         id);
    }
  }
  return "";
}

Async<Result<TokenReaders::Page>> TokenReaders::read_page(Engine* engine, std::string stream,
                                                          PositionVector after) {
  CO_TRY(Stream* const found, co_await engine->streams().find_or_create(std::move(stream)));
  const bool is_given_up = false;
  const MonoTime until = engine->runtime().now() + wait_max;
  CO_TRY_VOID(co_await found->wait_for(after, until, &is_given_up));
  CO_TRY(auto page, co_await found->read_between(after, found->positions(), page_facts_max));
  co_return Page{std::move(page.chunks), std::move(page.through)};
}

void TokenReaders::read(const std::string& stream) {
  const auto again = [this, stream] { read(stream); };
  const Duration pause = milliseconds{random_.between(10, 2000)};
  Process* const process = context_.any(random_);
  if (process == nullptr) return context_.later(pause, again);
  process->call<Result<Page>>(
      read_page(&process->engine(), stream, cursors_[stream].position),
      [this, stream, pause, again](const std::optional<Result<Page>>& page) {
        if (page && *page) take(stream, **page);
        if (page && !*page && page->error().code == Code::position_gone) skip_dropped(stream);
        context_.later(pause, again);
      });
}

void TokenReaders::skip_dropped(const std::string& stream) {
  StreamId dropped;
  for (const Member& member : context_.members) {
    if (member.running() == nullptr) continue;
    for (const Stream* each : member.running()->engine().streams().all()) {
      if (each->name() == stream) dropped = std::max(dropped, each->dropped_through());
    }
  }
  Cursor& cursor = cursors_[stream];
  cursor.position = cursor.position.joined(PositionVector(dropped));
  cursor.has_missed = true;
}

void TokenReaders::take(const std::string& stream, const Page& page) {
  Cursor& cursor = cursors_[stream];
  for (const Chunk& chunk : page.chunks) {
    for (StreamId id = chunk.first; id <= chunk.last(); id = id.plus(1)) {
      context_.ledger.seen(stream, id, chunk.payload(id));
      const auto number = number_in(chunk.payload(id));
      if (number && cursor.numbers.insert(*number).second) continue;
      context_.referee.broken(Check::token, fmt::format("a reader of {} got {} twice", stream, id));
    }
  }
  if (!page.through.reaches(cursor.position)) {
    context_.referee.broken(Check::token,
                            fmt::format("a reader of {} at {} is sent back to {}", stream,
                                        cursor.position.token(), page.through.token()));
  }
  cursor.position = page.through;
}

}  // namespace postrider::sim
