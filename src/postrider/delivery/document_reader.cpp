#include "postrider/delivery/document_reader.hpp"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <boost/url/scheme.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

namespace postrider {

void DocumentReader::add_mistake(std::string pointer, std::string detail) {
  if (mistakes_.size() < document_mistakes_max) {
    mistakes_.push_back({std::move(pointer), std::move(detail)});
  } else {
    ++unnamed_mistakes_;
  }
}

Error DocumentReader::error(std::string_view what) && {
  const FieldError& first = mistakes_.front();
  Error error{Code::invalid_argument,
              fmt::format("the {} is not valid: {} {}", what, first.pointer, first.detail)};
  if (unnamed_mistakes_ > 0) {
    error.detail += fmt::format("; {} of its {} mistakes are named", mistakes_.size(),
                                mistakes_.size() + unnamed_mistakes_);
  }
  error.fields = std::move(mistakes_);
  return error;
}

std::string DocumentReader::required_text(std::string_view key, std::size_t bytes_max) {
  const boost::json::value* value = find(key);
  const std::string pointer = fmt::format("/{}", key);
  if (value == nullptr) {
    add_mistake(pointer, "is missing; it must be a string");
  } else if (!value->is_string()) {
    add_mistake(pointer, "must be a string");
  } else if (value->get_string().empty() || value->get_string().size() > bytes_max) {
    add_mistake(pointer, fmt::format("must be 1 to {} bytes long", bytes_max));
  } else {
    return std::string(value->get_string());
  }
  return {};
}

std::string DocumentReader::id() {
  std::string id = required_text("id", service_id_bytes_max);
  const auto forbidden = [](char c) { return c <= ' ' || c > '~' || c == '|' || c == '/'; };
  if (std::ranges::any_of(id, forbidden) || id == "." || id == "..") {
    add_mistake("/id", "must be printable ASCII without blanks, '|' and '/', and not a dot or two");
  }
  return id;
}

std::string DocumentReader::secret(std::string_view key, std::size_t bytes_max) {
  std::string secret = required_text(key, bytes_max);
  if (std::ranges::any_of(secret, [](char c) { return c <= ' ' || c > '~'; })) {
    add_mistake(fmt::format("/{}", key), "must be printable ASCII without blanks");
  }
  return secret;
}

bool DocumentReader::flag(std::string_view key) {
  const boost::json::value* value = find(key);
  if (value == nullptr) return false;
  if (value->is_bool()) return value->get_bool();
  add_mistake(fmt::format("/{}", key), "must be true or false");
  return false;
}

std::optional<std::int64_t> DocumentReader::number(std::string_view key, std::int64_t min,
                                                   std::int64_t max) {
  const boost::json::value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const bool is_in_range =
      value->is_int64() && std::clamp(value->get_int64(), min, max) == value->get_int64();
  if (is_in_range) return value->get_int64();
  add_mistake(fmt::format("/{}", key),
              fmt::format("must be a whole number from {} to {}", min, max));
  return std::nullopt;
}

void DocumentReader::check_url(const std::string& url, Query query) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) {
    add_mistake("/url", fmt::format("\"{}\" is not a valid URL", url));
    return;
  }
  const auto scheme = parsed->scheme_id();
  const bool http = scheme == boost::urls::scheme::http || scheme == boost::urls::scheme::https;
  if (!http || parsed->host().empty()) {
    add_mistake("/url", "must begin with http:// or https:// and name a host");
  } else if (query == Query::refused &&
             (parsed->has_userinfo() || parsed->has_query() || parsed->has_fragment())) {
    add_mistake("/url", "must have no user, query or fragment");
  } else if (parsed->has_userinfo() || parsed->has_fragment()) {
    add_mistake("/url", "must have no user and no fragment");
  } else if (parsed->has_port() && parsed->port_number() == 0) {
    add_mistake("/url", "must have a port from 1 to 65535");
  }
}

}  // namespace postrider
