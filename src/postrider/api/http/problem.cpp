#include "postrider/api/http/problem.hpp"

#include <algorithm>
#include <chrono>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/api/http/utf8.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

constexpr std::string_view type_prefix = "https://postrider.dev/problems/";

json::string json_text(std::string_view text) {
  return json::string(valid_utf8(text));
}

json::array field_errors(const std::vector<FieldError>& fields) {
  json::array errors;
  for (const FieldError& field : fields) {
    json::object entry;
    entry["pointer"] = json_text(field.pointer);
    entry["detail"] = json_text(field.detail);
    errors.push_back(std::move(entry));
  }
  return errors;
}

}  // namespace

HttpServerResponse problem_response(const Error& error, std::string_view request_id,
                                    std::optional<int> status) {
  const ErrorTraits& traits = error_traits(error.code);
  json::object problem;
  problem["type"] = json_text(fmt::format("{}{}", type_prefix, traits.name));
  problem["title"] = json_text(traits.title);
  problem["status"] = status.value_or(traits.http_status);
  problem["detail"] = json_text(error.detail);
  problem["code"] = json_text(traits.name);
  problem["request_id"] = json_text(request_id);
  if (!error.fields.empty()) problem["errors"] = field_errors(error.fields);

  HttpServerResponse response;
  response.status = status.value_or(traits.http_status);
  response.content_type = "application/problem+json";
  response.body = json::serialize(problem);
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.retry_after) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(*error.retry_after);
    const auto least = std::max<std::chrono::seconds::rep>(whole.count(), 1);
    response.headers.emplace_back("Retry-After", std::to_string(least));
  }
  return response;
}

}  // namespace postrider
