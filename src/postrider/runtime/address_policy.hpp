#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "postrider/base/result.hpp"

namespace postrider {

/// Decides which addresses outgoing requests may connect to. Judge the address that is connected
/// to, never the name it came from: a name can resolve to something else a moment later.
///
/// Refuses what is not globally routable (IANA's special-purpose registries): loopback, private,
/// link-local with the cloud metadata address, shared (RFC 6598), documentation, benchmarking,
/// multicast and reserved ranges, 6to4 and Teredo. An IPv6 address that stands for an IPv4 one
/// (`::ffff:0:0/96`, `64:ff9b::/96`) is judged as that one.
class AddressPolicy {
 public:
  /// Allows globally routable addresses only.
  AddressPolicy() = default;

  /// Also allows the ranges in `allow`, each an address ("10.1.2.3", "::1") or a network with its
  /// prefix length ("10.0.0.0/8", "fd00::/8"). `invalid_argument` names every wrong entry, in
  /// `fields` with its index as the pointer ("/0").
  static Result<AddressPolicy> parse(std::span<const std::string> allow);

  bool operator==(const AddressPolicy&) const = default;

  /// `address` without a scope.
  [[nodiscard]] bool allows(const boost::asio::ip::address& address) const;
  /// The same for the text of an address. What is not one is refused.
  [[nodiscard]] bool allows(std::string_view address) const;

 private:
  Result<void> allow(std::string_view text);
  [[nodiscard]] bool allows(const boost::asio::ip::address_v4& address) const;
  [[nodiscard]] bool allows(const boost::asio::ip::address_v6& address) const;

  std::vector<boost::asio::ip::network_v4> allowed_v4_;
  std::vector<boost::asio::ip::network_v6> allowed_v6_;
};

}  // namespace postrider
