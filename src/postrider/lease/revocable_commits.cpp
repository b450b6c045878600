#include "postrider/lease/revocable_commits.hpp"

namespace postrider {

Async<Result<void>> RevocableCommits::commit(std::function<void()> prepare,
                                             std::function<Result<void>(SqlConnection&)> apply) {
  Result<void> taken_over = fail(Code::stopping, "another process has taken over this work");
  if (revoked_) co_return taken_over;
  Result<void> outcome = co_await commits_.commit(std::move(prepare), std::move(apply));
  const bool lost = !outcome && outcome.error().code == Code::session_ended;
  co_return lost ? taken_over : outcome;
}

}  // namespace postrider
