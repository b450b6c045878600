#include "postrider/api/http/message.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::string_view> value_of(const HttpServerRequest::Parameters& parameters,
                                         std::string_view name) {
  const auto found =
      std::ranges::find(parameters, name, &HttpServerRequest::Parameters::value_type::first);
  if (found == parameters.end()) return std::nullopt;
  return found->second;
}

}  // namespace

void HttpHeaders::add(std::string_view name, std::string_view value) {
  const std::size_t begin = text_.size();
  text_.append(name).append(value);
  fields_.push_back({begin, begin + name.size(), text_.size()});
}

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const {
  const std::string_view text = text_;
  for (const Field& field : fields_) {
    if (equal_without_case(text.substr(field.name, field.value - field.name), name)) {
      return text.substr(field.value, field.end - field.value);
    }
  }
  return std::nullopt;
}

void HttpHeaders::clear() {
  text_.clear();
  fields_.clear();
}

std::optional<std::string_view> HttpServerRequest::query_parameter(std::string_view name) const {
  return value_of(query, name);
}

std::string_view HttpServerRequest::path_parameter(std::string_view name) const {
  const auto value = value_of(path_parameters, name);
  POSTRIDER_ASSERT(value.has_value(), "no path parameter named {}", name);
  return *value;
}

HttpServerResponse json_response(int status, std::string body) {
  HttpServerResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

}  // namespace postrider
