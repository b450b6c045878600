// A registration: what is taken is taken again from its own JSON form, and can be matched against.
#include "fuzz/input.hpp"
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "postrider/base/assert.hpp"
#include "postrider/matrix/registration.hpp"
#include "postrider/matrix/testing/matrix_services.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  const FuzzInput input(data, size);
  boost::system::error_code error;
  const auto document = boost::json::parse(input.rest(), error);
  if (error) return 0;
  constexpr RegistrationLimits limits{.pattern_bytes_max = 200, .patterns_per_service_max = 5};
  const auto registration = parse_registration(document, limits);
  if (!registration) return 0;
  const auto stored = to_json(*registration, Secrets::show);
  const auto again = parse_registration(stored, limits);
  POSTRIDER_ASSERT(again.has_value(), "{} is not taken again: {}", boost::json::serialize(stored),
                   again.error().detail);
  POSTRIDER_ASSERT(to_json(*again, Secrets::show) == stored, "{} has changed",
                   boost::json::serialize(stored));
  const std::vector<ServiceInterest> interests = {
      matrix_service(ServiceKey{1}, registration->sender_localpart, registration->namespaces)};
  CompiledIndex index(interests, "h");
  index.users("@a:h");
  index.rooms("!r:h");
  index.aliases("#a:h");
  return 0;
}
