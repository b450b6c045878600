// The short texts that users write: tokens of streams, durations, sizes, addresses, and
// Authorization headers. What is read is written in a form that is read as the same.
#include "fuzz/input.hpp"

#include "postrider/api/http/bearer.hpp"
#include "postrider/api/http/utf8.hpp"
#include "postrider/app/config/listen_address.hpp"
#include "postrider/base/assert.hpp"
#include "postrider/base/quantity.hpp"
#include "postrider/stream/position_vector.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  const FuzzInput input(data, size);
  const std::string text(input.rest());
  if (const auto position = PositionVector::parse(text)) {
    POSTRIDER_ASSERT(PositionVector::parse(position->token()).value() == *position, "token {}",
                     text);
  }
  if (const auto duration = parse_duration(text)) {
    POSTRIDER_ASSERT(parse_duration(format_duration(*duration)).value() == *duration, "duration {}",
                     text);
  }
  if (const auto bytes = parse_size(text)) {
    POSTRIDER_ASSERT(parse_size(format_size(*bytes)).value() == *bytes, "size {}", text);
  }
  if (const auto address = parse_listen_address(text)) {
    POSTRIDER_ASSERT(!address->local_url().empty(), "address {}", text);
  }
  static const BearerTokens tokens({"an-admin"}, {"a-producer"});
  const bool allowed = tokens.check(Role::admin, text).has_value();
  POSTRIDER_ASSERT(!allowed || bearer_token(text) == "an-admin", "let in with {}", text);
  const std::string valid = valid_utf8(text);
  POSTRIDER_ASSERT(valid_utf8(valid) == valid, "is not UTF-8 yet: {}", valid);
  return 0;
}
