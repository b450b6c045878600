#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "postrider/base/result.hpp"

namespace postrider {

/// Where one fact lies in a body, without the white space around it.
struct FactSpan {
  std::string_view text;
  std::size_t line = 0;  ///< of NDJSON, from 1
};

/// Returns false to stop.
using FactVisitor = std::function<bool(const FactSpan& span)>;

/// Shows the elements of the JSON array that `body` is, in order. What lies between them is
/// checked, what lies inside them is not. `malformed_json` when it is not an array, or from where
/// it stops being one. `body` needs the parser's padding in spare capacity.
Result<void> each_element(const std::string& body, const FactVisitor& visit);

/// Shows the lines of `body` that are not blank.
void each_line(std::string_view body, const FactVisitor& visit);

/// Without the white space that JSON allows around a value.
std::string_view trim_json(std::string_view text);

/// What the parser's error number says, as part of a sentence.
std::string json_error_text(int error);

}  // namespace postrider
