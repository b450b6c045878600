#include "postrider/app/cli/api_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include "postrider/app/cli/problem.hpp"

namespace postrider {
namespace {

void indent(const boost::json::value& value, const std::string& margin, std::string& out) {
  const std::string inner = margin + "  ";
  const bool object = value.is_object() && !value.get_object().empty();
  const bool array = value.is_array() && !value.get_array().empty();
  if (!object && !array) {
    out += boost::json::serialize(value);
    return;
  }
  std::string_view separator = object ? "{\n" : "[\n";
  if (object) {
    for (const auto& [key, member] : value.get_object()) {
      out += fmt::format("{}{}{}: ", separator, inner, boost::json::serialize(key));
      indent(member, inner, out);
      separator = ",\n";
    }
  } else {
    for (const boost::json::value& element : value.get_array()) {
      out += fmt::format("{}{}", separator, inner);
      indent(element, inner, out);
      separator = ",\n";
    }
  }
  out += fmt::format("\n{}{}", margin, object ? "}" : "]");
}

}  // namespace

Result<ApiAnswer> ApiClient::send(ApiRequest request) const {
  request.url = target_.url + request.url;
  request.token = target_.token;
  TRY(ApiAnswer answer, exchange_(request));
  if (!is_success(answer)) return std::unexpected(problem_of(answer));
  return answer;
}

Result<std::string> ask_admin(const TargetOptions& target, const CommandContext& context,
                              std::string_view method, std::string path) {
  TRY(Target found, find_target(target, Listener::admin, context.environment));
  ApiRequest request;
  request.method = method;
  request.url = std::move(path);
  TRY(ApiAnswer answer, ApiClient(context, std::move(found)).send(std::move(request)));
  return std::move(answer.body);
}

std::string percent_encoded(std::string_view text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

std::string indented_json(std::string_view text) {
  boost::json::error_code ignored;
  const boost::json::value value = boost::json::parse(text, ignored);
  if (ignored) return std::string(text);
  std::string out;
  indent(value, "", out);
  return out;
}

}  // namespace postrider
