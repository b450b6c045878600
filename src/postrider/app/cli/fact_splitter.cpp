#include "postrider/app/cli/fact_splitter.hpp"

namespace postrider {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

Result<void> FactSplitter::feed(std::string_view part, std::vector<InputFact>& facts) {
  for (const char c : part) {
    if (depth_ == 0) {
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
  if (is_space(c)) return {};
  const bool in_array = array_line_ != 0;
  const bool fact_may_start = !in_array || between_ != Between::after_fact;
  if (c == '{' && fact_may_start) {
    fact_ = {"{", line_};
    depth_ = 1;
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
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return false;
  }
  if (c == '"') in_string_ = true;
  if (c == '{' || c == '[') ++depth_;
  if (c == '}' || c == ']') --depth_;
  if (depth_ == 0) between_ = Between::after_fact;
  return depth_ == 0;
}

Result<void> FactSplitter::finish() const {
  if (depth_ > 0) {
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
