#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/delivery/receiver_kind.hpp"
#include "postrider/matrix/registration.hpp"
#include "postrider/sort/interest_policy.hpp"
#include "postrider/stream/stream_format.hpp"

namespace postrider {

/// What the configuration says of formats and kinds.
struct CatalogSettings {
  std::string server_name;  ///< of Matrix; empty: senders match on any server
  RegistrationLimits registration;

  bool operator==(const CatalogSettings&) const = default;
};

/// The stream formats and the kinds of receivers that this server knows. The tables in catalog.cpp
/// hold one line for each. Immutable; any thread.
class Catalog {
 public:
  explicit Catalog(const CatalogSettings& settings);

  /// `pointers`: where the attributes of this stream are, by name, for formats that can be told.
  /// Null when there is no such format.
  [[nodiscard]] static std::shared_ptr<const StreamFormat> make_format(
      std::string_view name, const std::map<std::string, std::string>& pointers);
  /// How interest is decided in streams of the format; the format is known.
  [[nodiscard]] const InterestPolicy& policy(std::string_view format) const;
  [[nodiscard]] const ReceiverKinds& kinds() const { return kinds_; }

 private:
  std::map<std::string_view, std::unique_ptr<const InterestPolicy>> policies_;
  ReceiverKinds kinds_;
};

inline constexpr std::string_view default_stream_format = "json";

std::vector<std::string_view> stream_format_names();

/// The attributes of a format whose place a stream can choose; empty when it has none or is not
/// known.
std::vector<std::string_view> chosen_attributes(std::string_view format);

}  // namespace postrider
