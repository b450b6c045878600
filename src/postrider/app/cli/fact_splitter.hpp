#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/stream/json_scanner.hpp"

namespace postrider {

/// A fact cut out of the input, byte for byte.
struct InputFact {
  std::string text;
  std::int64_t line = 0;  ///< of its first byte, from 1
  bool operator==(const InputFact&) const = default;
};

/// Cuts input into facts: JSON objects one a line, spread over lines, or in arrays, in any mix.
/// Looks at braces and strings only; whether a fact is good JSON is the server's to say. Takes the
/// input in parts, cut anywhere, so that its length does not matter.
class FactSplitter {
 public:
  /// Appends the facts that end in this part. Errors: `invalid_argument` with the line, for what
  /// stands between facts and is not an array's.
  Result<void> feed(std::string_view part, std::vector<InputFact>& facts);
  /// The input is over. Errors: `invalid_argument` when it ends inside a fact or an array.
  [[nodiscard]] Result<void> finish() const;

 private:
  enum class Between { nothing, after_fact, after_comma };

  Result<void> take_outside(char c);
  bool take_inside(char c);

  InputFact fact_;
  std::int64_t line_ = 1;
  std::int64_t array_line_ = 0;  ///< 0: not in an array
  JsonScanner scanner_;          ///< of the fact; between facts it is at depth 0
  Between between_ = Between::nothing;
};

}  // namespace postrider
