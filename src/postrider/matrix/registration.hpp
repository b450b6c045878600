#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "postrider/base/result.hpp"
#include "postrider/delivery/receiver.hpp"
#include "postrider/matrix/namespaces.hpp"

namespace postrider {

/// A Matrix application-service registration.
/// Source: Matrix Application Service API, "Registration".
struct Registration {
  std::string id;
  std::optional<std::string> url;  ///< without trailing slashes; empty: nothing is pushed
  std::string as_token;
  std::string hs_token;
  std::string sender_localpart;
  Namespaces namespaces;
  bool rate_limited = true;
  std::vector<std::string> protocols;
  bool receive_ephemeral = false;         ///< kept; streams carry no ephemeral facts yet
  bool legacy_receive_ephemeral = false;  ///< "de.sorunome.msc2409.push_ephemeral", likewise
};

struct RegistrationLimits {
  std::size_t pattern_bytes_max = 4096;
  std::size_t patterns_per_service_max = 1000;

  bool operator==(const RegistrationLimits&) const = default;
};

inline constexpr std::size_t registration_token_bytes_max = 512;

/// Fails with `invalid_argument` and every mistake at its JSON pointer. Unknown keys are ignored.
Result<Registration> parse_registration(const boost::json::value& document,
                                        const RegistrationLimits& limits);

boost::json::object to_json(const Registration& registration, Secrets tokens);

}  // namespace postrider
