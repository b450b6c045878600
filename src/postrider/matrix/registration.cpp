#include "postrider/matrix/registration.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "postrider/delivery/document_reader.hpp"
#include "postrider/matrix/pattern.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

class RegistrationReader {
 public:
  RegistrationReader(const json::object& document, const RegistrationLimits& limits)
      : document_(document), limits_(limits) {}

  Result<Registration> read() {
    Registration registration;
    registration.id = document_.id();
    registration.url = read_url();
    registration.as_token = document_.secret("as_token", registration_token_bytes_max);
    registration.hs_token = document_.secret("hs_token", registration_token_bytes_max);
    registration.sender_localpart =
        document_.required_text("sender_localpart", service_id_bytes_max);
    check_localpart(registration.sender_localpart);
    registration.namespaces = read_namespaces();
    registration.rate_limited = read_rate_limited();
    registration.protocols = read_protocols();
    registration.receive_ephemeral = document_.flag("receive_ephemeral");
    registration.legacy_receive_ephemeral = document_.flag("de.sorunome.msc2409.push_ephemeral");
    if (document_.has_mistakes()) {
      return std::unexpected(std::move(document_).error("registration"));
    }
    return registration;
  }

 private:
  void mistake(std::string pointer, std::string detail) {
    document_.add_mistake(std::move(pointer), std::move(detail));
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
    const json::value* value = document_.find("url");
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
    document_.check_url(url, DocumentReader::Query::refused);
    return url;
  }

  Namespaces read_namespaces() {
    Namespaces namespaces;
    const json::value* value = document_.find("namespaces");
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
    const json::value* value = document_.find("rate_limited");
    return value == nullptr || !value->is_bool() || value->get_bool();
  }

  std::vector<std::string> read_protocols() {
    std::vector<std::string> protocols;
    const json::value* value = document_.find("protocols");
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

  DocumentReader document_;
  const RegistrationLimits& limits_;
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
  return RegistrationReader(document.get_object(), limits).read();
}

json::object to_json(const Registration& registration, Secrets tokens) {
  json::object object;
  object["id"] = registration.id;
  object["url"] = nullptr;
  if (registration.url) object["url"] = *registration.url;
  if (tokens == Secrets::show) {
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
