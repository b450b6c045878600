#include "postrider/runtime/address_policy.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

using Range = AddressPolicy::Range;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t ipv4_bytes = 4;
constexpr std::size_t ipv6_bytes = 16;
/// Where the IPv4 address stands inside an IPv6 one that wraps it.
constexpr std::size_t embedded_at = ipv6_bytes - ipv4_bytes;

constexpr std::array not_global_ipv4 = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
};
/// Inside 2000::/3; outside of it no IPv6 address is globally routable.
constexpr std::array not_global_ipv6 = {"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"};

bool same_prefix(Bytes a, Bytes b, std::size_t bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) {
    return false;
  }
  const std::size_t rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool contains(const Range& range, Bytes address) {
  return range.size == address.size() && same_prefix(range.network, address, range.prefix_bits);
}

bool any_contains(std::span<const Range> ranges, Bytes address) {
  return std::ranges::any_of(ranges,
                             [address](const Range& range) { return contains(range, address); });
}

std::optional<Range> parse_address(std::string_view text) {
  const std::string terminated{text};
  if (terminated.size() != std::string_view{terminated.c_str()}.size()) return std::nullopt;
  Range range;
  if (inet_pton(AF_INET, terminated.c_str(), range.network.data()) == 1) {
    range.size = ipv4_bytes;
  } else if (inet_pton(AF_INET6, terminated.c_str(), range.network.data()) == 1) {
    range.size = ipv6_bytes;
  } else {
    return std::nullopt;
  }
  range.prefix_bits = range.size * 8;
  return range;
}

std::optional<std::size_t> parse_prefix_bits(std::string_view text, std::size_t bits_max) {
  std::size_t bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc{} || end != text.data() + text.size() || bits > bits_max) {
    return std::nullopt;
  }
  return bits;
}

std::array<std::uint8_t, 16> masked(const Range& range) {
  std::array<std::uint8_t, 16> network{};
  for (std::size_t bit = 0; bit < range.prefix_bits; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    network[bit / 8] =
        static_cast<std::uint8_t>(network[bit / 8] | (range.network[bit / 8] & mask));
  }
  return network;
}

std::string text_of(const Range& range) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = range.size == ipv4_bytes ? AF_INET : AF_INET6;
  inet_ntop(family, range.network.data(), text.data(), text.size());
  return fmt::format("{}/{}", text.data(), range.prefix_bits);
}

Result<Range> parse_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  std::optional<Range> range = parse_address(text.substr(0, slash));
  if (!range) {
    return fail(Code::invalid_argument,
                "\"{}\" is not an IP address or network; write it as 10.1.2.3, 10.0.0.0/8, ::1 or "
                "fd00::/8",
                text);
  }
  if (slash == std::string_view::npos) return *range;
  const auto bits = parse_prefix_bits(text.substr(slash + 1), range->size * 8);
  if (!bits) {
    return fail(Code::invalid_argument, "\"{}\" needs a prefix length from 0 to {} after the slash",
                text, range->size * 8);
  }
  range->prefix_bits = *bits;
  const auto network = masked(*range);
  if (network != range->network) {
    range->network = network;
    return fail(Code::invalid_argument,
                "\"{}\" has address bits behind its prefix; the network is written {}", text,
                text_of(*range));
  }
  return *range;
}

template <std::size_t count>
std::vector<Range> known_ranges(const std::array<const char*, count>& texts) {
  std::vector<Range> ranges;
  for (const char* text : texts) {
    Result<Range> range = parse_range(text);
    POSTRIDER_ASSERT(range.has_value(), "{}", text);
    ranges.push_back(*range);
  }
  return ranges;
}

bool globally_routable(Bytes address) {
  static const std::vector<Range> refused_ipv4 = known_ranges(not_global_ipv4);
  static const std::vector<Range> refused_ipv6 = known_ranges(not_global_ipv6);
  if (address.size() == ipv4_bytes) return !any_contains(refused_ipv4, address);
  static const std::vector<Range> unicast = known_ranges(std::array{"2000::/3"});
  return any_contains(unicast, address) && !any_contains(refused_ipv6, address);
}

bool is_ipv4_mapped(Bytes address) {
  static const std::vector<Range> mapped = known_ranges(std::array{"::ffff:0:0/96"});
  return any_contains(mapped, address);
}

bool is_nat64(Bytes address) {
  static const std::vector<Range> nat64 = known_ranges(std::array{"64:ff9b::/96"});
  return any_contains(nat64, address);
}

/// An entry that is written IPv4-mapped means the IPv4 addresses inside.
Range unmapped(const Range& range) {
  constexpr std::size_t outer_bits = embedded_at * 8;
  if (!is_ipv4_mapped(Bytes{range.network}.first(range.size)) || range.prefix_bits < outer_bits) {
    return range;
  }
  Range inner{.size = ipv4_bytes, .prefix_bits = range.prefix_bits - outer_bits};
  std::copy_n(range.network.begin() + embedded_at, ipv4_bytes, inner.network.begin());
  return inner;
}

}  // namespace

Result<AddressPolicy> AddressPolicy::parse(std::span<const std::string> allow) {
  AddressPolicy policy;
  Error wrong{.code = Code::invalid_argument, .detail = {}};
  for (std::size_t index = 0; index < allow.size(); ++index) {
    Result<Range> range = parse_range(allow[index]);
    if (range) {
      policy.allowed_.push_back(unmapped(*range));
      continue;
    }
    wrong.detail += (wrong.fields.empty() ? "" : "; ") + range.error().detail;
    wrong.fields.push_back({fmt::format("/{}", index), range.error().detail});
  }
  if (!wrong.fields.empty()) return std::unexpected(std::move(wrong));
  return policy;
}

bool AddressPolicy::allows(std::span<const std::uint8_t> address) const {
  if (address.size() != ipv4_bytes && address.size() != ipv6_bytes) return false;
  if (is_ipv4_mapped(address)) return allows(address.subspan(embedded_at));
  if (any_contains(allowed_, address)) return true;
  if (is_nat64(address)) return allows(address.subspan(embedded_at));
  return globally_routable(address);
}

bool AddressPolicy::allows(std::string_view address) const {
  const std::optional<Range> parsed = parse_address(address);
  return parsed && allows(Bytes{parsed->network}.first(parsed->size));
}

}  // namespace postrider
