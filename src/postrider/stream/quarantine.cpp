#include "postrider/stream/quarantine.hpp"

#include <utility>

#include <prometheus/counter.h>

#include "postrider/base/log.hpp"
#include "postrider/store/quarantine.hpp"

namespace postrider {

Async<Result<void>> Quarantine::add(Commits* commits, const Stream* stream, UnreadableFacts facts,
                                    Apply beside) {
  bool is_new = false;
  Apply apply = [&is_new, &beside,
                 row = QuarantineRow{stream->key(), facts.ids, facts.cause, runtime_.wall_now()}](
                    SqlConnection& connection) -> Result<void> {
    TRY(is_new, insert_quarantined(connection, row));
    return beside ? beside(connection) : Result<void>{};
  };
  CO_TRY_VOID(co_await commits->commit(std::move(apply)));
  if (!is_new) co_return Result<void>{};
  facts_.Increment(static_cast<double>(facts.ids.count()));
  log_error(
      "stream {}: facts {} to {} are passed by and put in quarantine: {}; see"
      " `postrider quarantine list`",
      stream->name(), facts.ids.first, facts.ids.last, facts.cause);
  co_return Result<void>{};
}

}  // namespace postrider
