#pragma once

#include <string>
#include <string_view>

#include "postrider/app/cli/command_context.hpp"
#include "postrider/app/cli/server_target.hpp"

namespace postrider {

/// One listener of a server, with the token for it.
class ApiClient {
 public:
  ApiClient(const CommandContext& context, Target target)
      : exchange_(context.exchange), target_(std::move(target)) {}

  /// `request.url` is a path here. Errors: those of `Exchange`, and what `problem_of` makes of an
  /// answer that is not 2xx.
  Result<ApiAnswer> send(ApiRequest request) const;

 private:
  Exchange exchange_;
  Target target_;
};

/// The body of the answer of the admin listener that `target` names. `path` begins with a slash.
Result<std::string> ask_admin(const TargetOptions& target, const CommandContext& context,
                              std::string_view method, std::string path);

/// One segment of a path, or a value of a query.
std::string percent_encoded(std::string_view text);

/// A JSON text with spaces and line breaks for people; unchanged when it is not JSON.
std::string indented_json(std::string_view text);

}  // namespace postrider
