#include "postrider/app/cli/problem.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace postrider {
namespace {

std::string text_of(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string());
}

std::vector<FieldError> fields_of(const boost::json::object& problem) {
  std::vector<FieldError> fields;
  const boost::json::value* errors = problem.if_contains("errors");
  if (errors == nullptr || !errors->is_array()) return fields;
  for (const boost::json::value& entry : errors->get_array()) {
    if (!entry.is_object()) continue;
    fields.push_back(
        {text_of(entry.get_object(), "pointer"), text_of(entry.get_object(), "detail")});
  }
  return fields;
}

/// Only what decides the exit code: the caller's mistake, or not.
Code code_of_status(int status) {
  if (status == 401) return Code::unauthorized;
  if (status == 404) return Code::not_found;
  if (status == 507) return Code::storage_full;
  if (status == 503) return Code::overloaded;
  return Code::bad_status;
}

}  // namespace

Error problem_of(const ApiAnswer& answer) {
  boost::json::error_code ignored;
  const boost::json::value body = boost::json::parse(answer.body, ignored);
  Error error{code_of_status(answer.status), fmt::format("the server answered {}", answer.status)};
  error.retry_after = answer.retry_after;
  if (ignored || !body.is_object()) return error;
  const boost::json::object& problem = body.get_object();
  const std::string title = text_of(problem, "title");
  if (title.empty()) return error;
  const std::string detail = text_of(problem, "detail");
  const std::string request_id = text_of(problem, "request_id");
  const std::string code = text_of(problem, "code");
  error.detail = title;
  if (!detail.empty()) error.detail += ": " + detail;
  error.detail += fmt::format(" ({}{})", code.empty() ? std::to_string(answer.status) : code,
                              request_id.empty() ? "" : ", request " + request_id);
  error.fields = fields_of(problem);
  return error;
}

}  // namespace postrider
