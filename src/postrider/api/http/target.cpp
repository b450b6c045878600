#include "postrider/api/http/target.hpp"

#include <boost/url/pct_string_view.hpp>

namespace postrider {
namespace {

enum class Plus { literal, blank };

Result<std::string> decode(std::string_view text, Plus plus) {
  if (text.find_first_of("%+") == std::string_view::npos) return std::string(text);
  const auto encoded = boost::urls::make_pct_string_view(text);
  if (encoded) return encoded->decode({plus == Plus::blank});
  return fail(Code::invalid_argument,
              "the request target has a % that is not followed by two hexadecimal digits: write a "
              "percent sign itself as %25");
}

/// Takes the text up to the separator off the front of `rest`, the separator too.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t length = rest.find(separator);
  const std::string_view part = rest.substr(0, length);
  rest.remove_prefix(length == std::string_view::npos ? rest.size() : length + 1);
  return part;
}

Result<void> parse_segments(std::string_view path, HttpServerRequest& request) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.empty()) return {};
  const bool ends_with_slash = path.ends_with('/');
  while (!path.empty()) {
    TRY(std::string segment, decode(take_until(path, '/'), Plus::literal));
    request.segments.push_back(std::move(segment));
  }
  if (ends_with_slash) request.segments.emplace_back();
  return {};
}

Result<void> parse_query(std::string_view query, HttpServerRequest& request) {
  while (!query.empty()) {
    std::string_view pair = take_until(query, '&');
    if (pair.empty()) continue;
    TRY(std::string name, decode(take_until(pair, '='), Plus::blank));
    TRY(std::string value, decode(pair, Plus::blank));
    if (request.query_parameter(name)) {
      return fail(Code::invalid_argument, "query parameter \"{}\" is given twice: give it once",
                  name);
    }
    request.query.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

std::string_view without_origin(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return target;
  const std::size_t path = target.find_first_of("/?", scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

}  // namespace

Result<void> parse_target(std::string_view target, HttpServerRequest& request) {
  request.segments.clear();
  request.query.clear();
  std::string_view query = without_origin(target);
  const std::string_view path = take_until(query, '?');
  request.path = path;
  TRY_VOID(parse_segments(path, request));
  return parse_query(query, request);
}

}  // namespace postrider
