#pragma once

#include <deque>
#include <sstream>
#include <string>
#include <vector>

#include "postrider/app/cli/command_context.hpp"
#include "postrider/app/cli/commands.hpp"

namespace postrider {

/// A command line in a test: answers come from a script, output goes to texts, nothing waits.
struct ScriptedServer {
  std::deque<Result<ApiAnswer>> answers;  ///< taken from the front; empty means "not reachable"
  std::vector<ApiRequest> requests;       ///< that were sent
  std::vector<Duration> pauses;           ///< that a command asked for
  std::ostringstream out;
  std::ostringstream err;
  std::string served;  ///< the configuration that `serve` was called with
  int standard_input = -1;
  Environment environment = {{"POSTRIDER_TOKEN", "test-token"}};

  void will_answer(int status, std::string body) {
    ApiAnswer answer;
    answer.status = status;
    answer.body = std::move(body);
    answers.emplace_back(std::move(answer));
  }

  ExitCode run(std::vector<std::string> arguments) {
    const Terminal terminal{standard_input, out, err};
    const auto serve = [this](const std::string& config, const ServeOptions&) {
      served = "served " + config;
      return 0;
    };
    CommandContext context{environment, terminal, serve};
    context.exchange = [this](const ApiRequest& request) { return exchange(request); };
    context.pause = [this](Duration duration) {
      pauses.push_back(duration);
      return true;
    };
    context.interrupted = [] { return false; };
    context.wait_for_signal = [] {};
    return run_command_line(std::move(arguments), context);
  }

 private:
  Result<ApiAnswer> exchange(const ApiRequest& request) {
    requests.push_back(request);
    if (answers.empty()) return fail(Code::connection_failed, "cannot reach {}", request.url);
    Result<ApiAnswer> answer = std::move(answers.front());
    answers.pop_front();
    if (!answer || !request.on_body || answer->status >= 300) return answer;
    if (!request.on_body(answer->body)) return fail(Code::stopping, "interrupted");
    return answer;
  }
};

}  // namespace postrider
