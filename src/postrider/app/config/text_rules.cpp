#include "postrider/app/config/text_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "postrider/app/config/listen_address.hpp"
#include "postrider/drivers/bus/redis_bus.hpp"
#include "postrider/engine/catalog.hpp"
#include "postrider/runtime/address_policy.hpp"
#include "postrider/stream/stream_name.hpp"

namespace postrider {
namespace {

constexpr std::size_t token_bytes_min = 8;
constexpr std::size_t token_bytes_max = 512;
constexpr std::size_t server_name_bytes_max = 230;
constexpr std::string_view lower_alphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t instance_name_bytes_max = 63;
constexpr std::size_t schema_name_bytes_max = 63;
constexpr std::string_view sqlite_scheme = "sqlite:";

constexpr int port_max = 65'535;

bool is_postgres_url(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

bool is_wrong_port(std::string_view port) {
  // The usual one; or escaped, which libpq reads.
  if (port.empty() || port.contains('%')) return false;
  int number = 0;
  const auto [end, error] = std::from_chars(port.begin(), port.end(), number);
  return error != std::errc{} || end != port.end() || number < 1 || number > port_max;
}

/// Whether `is_so` of any part of a list.
template <class Predicate>
bool any_part(std::string_view list, char separator, Predicate is_so) {
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(separator));
    list.remove_prefix(std::min(part.size() + 1, list.size()));
    if (is_so(part)) return true;
  }
  return false;
}

bool has_wrong_port_of_host(std::string_view host) {
  host.remove_prefix(host.rfind(']') + 1);  // of an IPv6 address
  const std::size_t colon = host.rfind(':');
  return colon != std::string_view::npos && is_wrong_port(host.substr(colon + 1));
}

/// `port=` after the `?`: one for each host, or one for all.
bool has_wrong_port_parameter(std::string_view parameter) {
  constexpr std::string_view name = "port=";
  return parameter.starts_with(name) && any_part(parameter.substr(name.size()), ',', is_wrong_port);
}

/// Whether a port that the URL names cannot be one. It may name several hosts, each with a port.
/// Where a user and a password end, and hosts begin, is as libpq reads it.
bool has_wrong_port(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  const std::size_t at = url.find('@');
  if (at < url.find('/')) url.remove_prefix(at + 1);
  const std::string_view hosts = url.substr(0, url.find_first_of("/?"));
  if (any_part(hosts, ',', has_wrong_port_of_host)) return true;
  const std::size_t question = url.find('?', hosts.size());
  return question != std::string_view::npos &&
         any_part(url.substr(question + 1), '&', has_wrong_port_parameter);
}

/// What stands in place of a port may be a part of a password: it is not repeated.
std::string postgres_fault(std::string_view url) {
  if (!has_wrong_port(url)) return "";
  return fmt::format(
      "names a port that is not a number from 1 to {}; write"
      " postgresql://USER:PASSWORD@HOST:PORT/NAME, other characters than letters and"
      " digits as %XX",
      port_max);
}

bool only_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

}  // namespace

std::string database_fault(const std::string& text) {
  const bool is_sqlite = text.starts_with(sqlite_scheme) && text.size() > sqlite_scheme.size();
  if (is_sqlite) return "";
  if (is_postgres_url(text)) return postgres_fault(text);
  return "names no database; allowed: sqlite:PATH, such as sqlite:./postrider.db, or"
         " postgresql://USER@HOST/NAME";
}

std::string outbox_fault(const std::string& text) {
  if (text.empty()) return "";
  if (is_postgres_url(text)) return postgres_fault(text);
  return "names no database; allowed: postgresql://USER@HOST/NAME";
}

std::string schema_fault(const std::string& text) {
  const bool fits = !text.empty() && text.size() <= schema_name_bytes_max;
  const bool starts_well = fits && (text[0] < '0' || text[0] > '9');
  if (starts_well && only_of(text, std::string(lower_alphanumeric) + "_")) return "";
  return fmt::format(
      "\"{}\" cannot name a schema; allowed: 1 to {} characters of a-z, 0-9 and _, the first not a"
      " digit",
      text, schema_name_bytes_max);
}

std::string instance_name_fault(const std::string& text) {
  const bool fits = !text.empty() && text.size() <= instance_name_bytes_max;
  if (fits && only_of(text, std::string(lower_alphanumeric) + "_.-")) return "";
  return fmt::format(
      "\"{}\" cannot name an instance; allowed: 1 to {} characters of a-z, 0-9, _, . and -", text,
      instance_name_bytes_max);
}

std::string redis_fault(const std::string& text) {
  if (text.empty()) return "";
  const auto address = parse_redis_url(text);
  return address ? "" : address.error().detail;
}

std::string optional_listen_fault(const std::string& text) {
  if (text.empty()) return "";
  const std::string fault = listen_fault(text);
  return fault.empty() ? connect_fault(text) : fault;
}

std::string connect_fault(const std::string& text) {
  if (text.empty() || split_host_and_port(text)) return "";
  return fmt::format("\"{}\" is no address; allowed: HOST:PORT or [IPv6]:PORT", text);
}

std::optional<std::pair<std::string, std::string>> split_host_and_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  std::string host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const bool is_number = !port.empty() && port.size() <= 5 && only_of(port, "0123456789");
  if (!is_number || std::stoi(port) < 1 || std::stoi(port) > 65'535) return std::nullopt;
  return std::pair(std::move(host), port);
}

std::string listen_fault(const std::string& text) {
  const Result<ListenAddress> address = parse_listen_address(text);
  return address ? "" : address.error().detail;
}

std::string token_fault(const std::string& text) {
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (printable && text.size() >= token_bytes_min && text.size() <= token_bytes_max) return "";
  return fmt::format(
      "a token of {} bytes{} cannot be used; allowed: {} to {} printable ASCII "
      "characters without spaces",
      text.size(), printable ? "" : " with other characters", token_bytes_min, token_bytes_max);
}

std::string stream_name_fault(const std::string& text) {
  if (is_stream_name(text)) return "";
  return fmt::format(
      "\"{}\" cannot name a stream; allowed: 1 to {} characters of a-z, 0-9, _, ., "
      "-, the first a letter or a digit",
      text.substr(0, stream_name_bytes_max + 1), stream_name_bytes_max);
}

std::string format_fault(const std::string& text) {
  if (std::ranges::count(stream_format_names(), text) > 0) return "";
  return fmt::format("\"{}\" is not a format of facts; allowed: {}", text,
                     fmt::join(stream_format_names(), ", "));
}

std::string server_name_fault(const std::string& text) {
  constexpr std::string_view alphabet =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
  if (text.size() <= server_name_bytes_max && only_of(text, alphabet)) return "";
  return fmt::format(
      "\"{}\" is not a Matrix server name; allowed: a host name or an address, "
      "with a port or without, such as example.org",
      text.substr(0, server_name_bytes_max));
}

std::string address_range_fault(const std::string& text) {
  const std::array<std::string, 1> range = {text};
  if (AddressPolicy::parse(range)) return "";
  return fmt::format(
      "\"{}\" is not a range of addresses; allowed: an address or a network such "
      "as 127.0.0.0/8, 10.1.2.3 or fd00::/8",
      text);
}

std::string path_fault(const std::string& text) {
  return text.empty() ? "names no file; allowed: a path" : "";
}

std::string no_fault(const std::string&) {
  return "";
}

}  // namespace postrider
