#pragma once

#include <functional>
#include <string>

#include "postrider/app/cli/api_client.hpp"
#include "postrider/app/cli/fact_page.hpp"

namespace postrider {

/// Follows a stream over server-sent messages, and connects again where it was when the connection
/// breaks: after 1 s, then twice as long each time up to 10 s.
class FactFollower {
 public:
  FactFollower(CommandContext& context, ApiClient client, std::string path)
      : context_(context), client_(std::move(client)), path_(std::move(path)) {}

  /// Until `take` returns false. Errors: `stopping` after a signal, and what the server says no
  /// with.
  Result<void> run(std::string token, const std::function<bool(const ReadFact&)>& take);

 private:
  CommandContext& context_;
  ApiClient client_;
  std::string path_;
};

/// The token of `GET …/position`.
Result<std::string> parse_position(std::string_view text);

}  // namespace postrider
