#include "postrider/api/http/message.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

std::optional<std::string_view> value_of(const HttpServerRequest::Parameters& parameters,
                                         std::string_view name) {
  const auto found =
      std::ranges::find(parameters, name, &HttpServerRequest::Parameters::value_type::first);
  if (found == parameters.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::optional<std::string_view> HttpServerRequest::header(std::string_view name) const {
  const auto found = headers.find(name);
  if (found == headers.end()) return std::nullopt;
  return found->value();
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
