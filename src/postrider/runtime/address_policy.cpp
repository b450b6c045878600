#include "postrider/runtime/address_policy.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>

namespace postrider {
namespace {

namespace ip = boost::asio::ip;

constexpr unsigned short ipv4_bits = 32;
constexpr unsigned short ipv6_bits = 128;
constexpr unsigned short wrapped_at_bits = ipv6_bits - ipv4_bits;

template <typename Network, typename Address>
bool any_contains(const std::vector<Network>& networks, const Address& address) {
  return std::ranges::any_of(networks, [&address](const Network& network) {
    return Network(address, network.prefix_length()).network() == network.network();
  });
}

std::optional<ip::address> parse_address(std::string_view text) {
  // Asio would read a scope behind a % and stop at a zero byte.
  if (text.contains('%') || text.contains('\0')) return std::nullopt;
  boost::system::error_code error;
  const ip::address address = ip::make_address(text, error);
  return error ? std::nullopt : std::optional(address);
}

/// The digits behind the slash, or `whole` when there is no slash.
Result<unsigned short> parse_prefix_bits(std::string_view text, unsigned short whole) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return whole;
  unsigned short bits = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + slash + 1, last, bits);
  if (error == std::errc{} && end == last && bits <= whole) return bits;
  return fail(Code::invalid_argument, "\"{}\" needs a prefix length from 0 to {} after the slash",
              text, whole);
}

template <typename Network>
Result<Network> checked(const Network& network, std::string_view text) {
  if (network == network.canonical()) return network;
  return fail(Code::invalid_argument,
              "\"{}\" has address bits behind its prefix; the network is written {}", text,
              network.canonical().to_string());
}

/// What an IPv6 address that wraps an IPv4 one ends with.
ip::address_v4 wrapped(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  return ip::address_v4({bytes[12], bytes[13], bytes[14], bytes[15]});
}

bool is_nat64(const ip::address_v6& address) {
  static const std::vector nat64 = {ip::make_network_v6("64:ff9b::/96")};
  return any_contains(nat64, address);
}

bool globally_routable(const ip::address_v4& address) {
  static const std::vector refused = {
      ip::make_network_v4("0.0.0.0/8"),      ip::make_network_v4("10.0.0.0/8"),
      ip::make_network_v4("100.64.0.0/10"),  ip::make_network_v4("127.0.0.0/8"),
      ip::make_network_v4("169.254.0.0/16"), ip::make_network_v4("172.16.0.0/12"),
      ip::make_network_v4("192.0.0.0/24"),   ip::make_network_v4("192.0.2.0/24"),
      ip::make_network_v4("192.88.99.0/24"), ip::make_network_v4("192.168.0.0/16"),
      ip::make_network_v4("198.18.0.0/15"),  ip::make_network_v4("198.51.100.0/24"),
      ip::make_network_v4("203.0.113.0/24"), ip::make_network_v4("224.0.0.0/4"),
      ip::make_network_v4("240.0.0.0/4"),
  };
  return !any_contains(refused, address);
}

bool globally_routable(const ip::address_v6& address) {
  static const std::vector unicast = {ip::make_network_v6("2000::/3")};
  static const std::vector refused = {
      ip::make_network_v6("2001::/23"), ip::make_network_v6("2001:db8::/32"),
      ip::make_network_v6("2002::/16"), ip::make_network_v6("3fff::/20")};
  return any_contains(unicast, address) && !any_contains(refused, address);
}

}  // namespace

Result<void> AddressPolicy::allow(std::string_view text) {
  const std::optional<ip::address> address = parse_address(text.substr(0, text.find('/')));
  if (!address) {
    return fail(Code::invalid_argument,
                "\"{}\" is not an IP address or network; write it as 10.1.2.3, 10.0.0.0/8, ::1 or "
                "fd00::/8",
                text);
  }
  TRY(const auto bits, parse_prefix_bits(text, address->is_v4() ? ipv4_bits : ipv6_bits));
  if (address->is_v4()) {
    TRY(const auto network, checked(ip::network_v4(address->to_v4(), bits), text));
    allowed_v4_.push_back(network);
    return {};
  }
  TRY(const auto network, checked(ip::network_v6(address->to_v6(), bits), text));
  // An entry that is written IPv4-mapped means the IPv4 addresses inside.
  if (network.address().is_v4_mapped() && bits >= wrapped_at_bits) {
    allowed_v4_.emplace_back(wrapped(network.address()), bits - wrapped_at_bits);
  } else {
    allowed_v6_.push_back(network);
  }
  return {};
}

Result<AddressPolicy> AddressPolicy::parse(std::span<const std::string> allow) {
  AddressPolicy policy;
  Error wrong{.code = Code::invalid_argument, .detail = {}};
  for (std::size_t index = 0; index < allow.size(); ++index) {
    const Result<void> allowed = policy.allow(allow[index]);
    if (allowed) continue;
    wrong.detail += (wrong.fields.empty() ? "" : "; ") + allowed.error().detail;
    wrong.fields.push_back({fmt::format("/{}", index), allowed.error().detail});
  }
  if (!wrong.fields.empty()) return std::unexpected(std::move(wrong));
  return policy;
}

bool AddressPolicy::allows(const ip::address_v4& address) const {
  return any_contains(allowed_v4_, address) || globally_routable(address);
}

bool AddressPolicy::allows(const ip::address_v6& address) const {
  if (address.is_v4_mapped()) return allows(wrapped(address));
  if (any_contains(allowed_v6_, address)) return true;
  if (is_nat64(address)) return allows(wrapped(address));
  return globally_routable(address);
}

bool AddressPolicy::allows(const ip::address& address) const {
  return address.is_v4() ? allows(address.to_v4()) : allows(address.to_v6());
}

bool AddressPolicy::allows(std::string_view address) const {
  const std::optional<ip::address> parsed = parse_address(address);
  return parsed && allows(*parsed);
}

}  // namespace postrider
