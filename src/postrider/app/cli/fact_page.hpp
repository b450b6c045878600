#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/result.hpp"

namespace postrider {

/// A fact as the API gives it: `{"id":12,"fact":{…}}`. The texts are the server's, byte for byte.
struct ReadFact {
  std::int64_t id = 0;
  std::string payload;
  std::string entry;  ///< the whole object
  bool operator==(const ReadFact&) const = default;
};

struct FactPage {
  std::vector<ReadFact> facts;
  std::string token;  ///< of the position after the last one
};

/// Errors: `bad_status`, when the text is something else: the URL is not Postrider's.
Result<ReadFact> parse_read_fact(std::string_view text);
Result<FactPage> parse_fact_page(std::string_view text);

}  // namespace postrider
