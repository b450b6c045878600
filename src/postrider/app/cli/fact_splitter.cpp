#include "postrider/app/cli/fact_splitter.hpp"

namespace postrider {

Result<void> FactSplitter::feed(std::string_view part, std::vector<InputFact>& facts) {
  for (const char c : part) {
    if (scanner_.depth() == 0) {
      TRY_VOID(take_outside(c));
    } else if (take_inside(c)) {
      facts.push_back(std::move(fact_));
      fact_ = {};
    }
    if (c == '\n') ++line_;
  }
  return {};
}

Result<void> FactSplitter::take_outside(char c) {
  if (json_white_space.contains(c)) return {};
  const bool in_array = array_line_ != 0;
  const bool fact_may_start = !in_array || between_ != Between::after_fact;
  if (c == '{' && fact_may_start) {
    fact_ = {"{", line_};
    scanner_.read(c);
    return {};
  }
  if (c == '[' && !in_array) {
    array_line_ = line_;
    between_ = Between::nothing;
    return {};
  }
  if (c == ',' && in_array && between_ == Between::after_fact) {
    between_ = Between::after_comma;
    return {};
  }
  if (c == ']' && in_array && between_ != Between::after_comma) {
    array_line_ = 0;
    return {};
  }
  return fail(Code::invalid_argument,
              "line {}: '{}' where a fact should begin; allowed: JSON objects, one after the other "
              "or in an array",
              line_, c);
}

/// Whether the fact ends with this byte.
bool FactSplitter::take_inside(char c) {
  fact_.text.push_back(c);
  scanner_.read(c);
  if (scanner_.depth() > 0) return false;
  between_ = Between::after_fact;
  return true;
}

Result<void> FactSplitter::finish() const {
  if (scanner_.depth() > 0) {
    return fail(Code::invalid_argument, "the input ends inside the fact that begins in line {}",
                fact_.line);
  }
  if (array_line_ != 0) {
    return fail(Code::invalid_argument, "the input ends inside the array that begins in line {}",
                array_line_);
  }
  return {};
}

}  // namespace postrider
