#include "postrider/delivery/matrix/registration.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/scheme.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include "postrider/sort/pattern.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

/// Reads one document and collects what is wrong with it.
class RegistrationReader {
 public:
  RegistrationReader(const json::object& document, const RegistrationLimits& limits)
      : document_(document), limits_(limits) {}

  Registration read() {
    Registration registration;
    registration.id = required_text("id", registration_id_bytes_max);
    check_id(registration.id);
    registration.url = read_url();
    registration.as_token = read_token("as_token");
    registration.hs_token = read_token("hs_token");
    registration.sender_localpart = required_text("sender_localpart", registration_id_bytes_max);
    check_localpart(registration.sender_localpart);
    registration.namespaces = read_namespaces();
    registration.rate_limited = read_rate_limited();
    registration.protocols = read_protocols();
    registration.receive_ephemeral = read_flag("receive_ephemeral");
    registration.legacy_receive_ephemeral = read_flag("de.sorunome.msc2409.push_ephemeral");
    return registration;
  }

  [[nodiscard]] std::vector<FieldError> mistakes() && { return std::move(mistakes_); }

 private:
  void mistake(std::string pointer, std::string detail) {
    mistakes_.push_back({std::move(pointer), std::move(detail)});
  }

  std::string required_text(std::string_view key, std::size_t bytes_max) {
    const json::value* value = document_.if_contains(key);
    const std::string pointer = fmt::format("/{}", key);
    if (value == nullptr) {
      mistake(pointer, "is missing; it must be a string");
    } else if (!value->is_string()) {
      mistake(pointer, "must be a string");
    } else if (value->get_string().empty() || value->get_string().size() > bytes_max) {
      mistake(pointer, fmt::format("must be 1 to {} bytes long", bytes_max));
    } else {
      return std::string(value->get_string());
    }
    return {};
  }

  void check_id(std::string_view id) {
    const auto forbidden = [](char c) { return c <= ' ' || c > '~' || c == '|' || c == '/'; };
    if (std::ranges::any_of(id, forbidden) || id == "." || id == "..") {
      mistake("/id", "must be printable ASCII without blanks, '|' and '/', and not a dot or two");
    }
  }

  std::string read_token(std::string_view key) {
    std::string token = required_text(key, registration_token_bytes_max);
    if (std::ranges::any_of(token, [](char c) { return c <= ' ' || c > '~'; })) {
      mistake(fmt::format("/{}", key), "must be printable ASCII without blanks");
    }
    return token;
  }

  void check_localpart(std::string_view localpart) {
    const auto unreserved = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("-._~/").contains(c);
    };
    if (!std::ranges::all_of(localpart, unreserved)) {
      mistake("/sender_localpart", "must need no percent-encoding: letters, digits and - . _ ~ /");
    }
  }

  std::optional<std::string> read_url() {
    const json::value* value = document_.if_contains("url");
    if (value == nullptr) {
      mistake("/url", "is missing; it must be a URL, or null for a service that is not pushed");
      return std::nullopt;
    }
    if (value->is_null()) return std::nullopt;
    if (!value->is_string()) {
      mistake("/url", "must be a URL or null");
      return std::nullopt;
    }
    std::string url(value->get_string());
    url.erase(url.find_last_not_of('/') + 1);
    check_url(url);
    return url;
  }

  void check_url(const std::string& url) {
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed) {
      mistake("/url", fmt::format("\"{}\" is not a valid URL", url));
      return;
    }
    const auto scheme = parsed->scheme_id();
    const bool http = scheme == boost::urls::scheme::http || scheme == boost::urls::scheme::https;
    if (!http || parsed->host().empty()) {
      mistake("/url", "must begin with http:// or https:// and name a host");
    } else if (parsed->has_userinfo() || parsed->has_query() || parsed->has_fragment()) {
      mistake("/url", "must have no user, query or fragment");
    } else if (parsed->has_port() && parsed->port_number() == 0) {
      mistake("/url", "must have a port from 1 to 65535");
    }
  }

  Namespaces read_namespaces() {
    Namespaces namespaces;
    const json::value* value = document_.if_contains("namespaces");
    if (value == nullptr || !value->is_object()) {
      mistake("/namespaces", "must be an object with users, aliases and rooms");
      return namespaces;
    }
    const json::object& object = value->get_object();
    const std::size_t count =
        count_of(object, "users") + count_of(object, "aliases") + count_of(object, "rooms");
    // Counted before any of them is compiled, which is what costs time.
    if (count > limits_.patterns_per_service_max) {
      mistake("/namespaces", fmt::format("holds {} patterns, and at most {} are allowed", count,
                                         limits_.patterns_per_service_max));
      return namespaces;
    }
    namespaces.users = read_entries(object, "users");
    namespaces.aliases = read_entries(object, "aliases");
    namespaces.rooms = read_entries(object, "rooms");
    return namespaces;
  }

  static std::size_t count_of(const json::object& namespaces, std::string_view kind) {
    const json::value* value = namespaces.if_contains(kind);
    return value != nullptr && value->is_array() ? value->get_array().size() : 0;
  }

  std::vector<NamespaceEntry> read_entries(const json::object& namespaces, std::string_view kind) {
    std::vector<NamespaceEntry> entries;
    const json::value* value = namespaces.if_contains(kind);
    if (value == nullptr) return entries;
    if (!value->is_array()) {
      mistake(fmt::format("/namespaces/{}", kind), "must be an array");
      return entries;
    }
    const json::array& array = value->get_array();
    for (std::size_t i = 0; i < array.size(); ++i) {
      entries.push_back(read_entry(array[i], fmt::format("/namespaces/{}/{}", kind, i)));
    }
    return entries;
  }

  NamespaceEntry read_entry(const json::value& value, const std::string& pointer) {
    NamespaceEntry entry;
    if (!value.is_object()) {
      mistake(pointer, "must be an object with regex and exclusive");
      return entry;
    }
    const json::value* regex = value.get_object().if_contains("regex");
    if (regex == nullptr || !regex->is_string()) {
      mistake(pointer + "/regex", "must be a string");
    } else {
      entry.regex = std::string(regex->get_string());
      const auto checked = check_pattern(entry.regex, limits_.pattern_bytes_max);
      if (!checked) mistake(pointer + "/regex", checked.error().detail);
    }
    const json::value* exclusive = value.get_object().if_contains("exclusive");
    if (exclusive == nullptr || !exclusive->is_bool()) {
      mistake(pointer + "/exclusive", "must be true or false");
    } else {
      entry.exclusive = exclusive->get_bool();
    }
    return entry;
  }

  bool read_rate_limited() const {
    const json::value* value = document_.if_contains("rate_limited");
    return value == nullptr || !value->is_bool() || value->get_bool();
  }

  std::vector<std::string> read_protocols() {
    std::vector<std::string> protocols;
    const json::value* value = document_.if_contains("protocols");
    if (value == nullptr || value->is_null()) return protocols;
    const bool texts =
        value->is_array() && std::ranges::all_of(value->get_array(), &json::value::is_string);
    if (!texts) {
      mistake("/protocols", "must be an array of strings");
      return protocols;
    }
    for (const json::value& protocol : value->get_array()) {
      protocols.emplace_back(protocol.get_string());
    }
    return protocols;
  }

  bool read_flag(std::string_view key) {
    const json::value* value = document_.if_contains(key);
    if (value == nullptr) return false;
    if (value->is_bool()) return value->get_bool();
    mistake(fmt::format("/{}", key), "must be true or false");
    return false;
  }

  const json::object& document_;
  const RegistrationLimits& limits_;
  std::vector<FieldError> mistakes_;
};

json::array entries_json(const std::vector<NamespaceEntry>& entries) {
  json::array array;
  for (const NamespaceEntry& entry : entries) {
    json::object object;
    object["exclusive"] = entry.exclusive;
    object["regex"] = entry.regex;
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace

Result<Registration> parse_registration(const json::value& document,
                                        const RegistrationLimits& limits) {
  if (!document.is_object()) {
    return fail(Code::invalid_argument, "a registration must be an object");
  }
  RegistrationReader reader(document.get_object(), limits);
  Registration registration = reader.read();
  Error error{Code::invalid_argument, "the registration is not valid"};
  error.fields = std::move(reader).mistakes();
  if (error.fields.empty()) return registration;
  error.detail += fmt::format(": {} {}", error.fields.front().pointer, error.fields.front().detail);
  return std::unexpected(std::move(error));
}

json::object to_json(const Registration& registration, Tokens tokens) {
  json::object object;
  object["id"] = registration.id;
  object["url"] = nullptr;
  if (registration.url) object["url"] = *registration.url;
  if (tokens == Tokens::show) {
    object["as_token"] = registration.as_token;
    object["hs_token"] = registration.hs_token;
  }
  object["sender_localpart"] = registration.sender_localpart;
  json::object namespaces;
  namespaces["users"] = entries_json(registration.namespaces.users);
  namespaces["aliases"] = entries_json(registration.namespaces.aliases);
  namespaces["rooms"] = entries_json(registration.namespaces.rooms);
  object["namespaces"] = std::move(namespaces);
  object["rate_limited"] = registration.rate_limited;
  json::array protocols;
  for (const std::string& protocol : registration.protocols) protocols.emplace_back(protocol);
  object["protocols"] = std::move(protocols);
  object["receive_ephemeral"] = registration.receive_ephemeral;
  object["de.sorunome.msc2409.push_ephemeral"] = registration.legacy_receive_ephemeral;
  return object;
}

}  // namespace postrider
