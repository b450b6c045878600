#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// Who declared a service, and so who may change it.
enum class ServiceSource { configuration, api };

struct ServiceRow {
  ServiceKey key;
  std::string id;
  ServiceSource source = ServiceSource::api;
  std::string kind;                ///< of receiver; empty: stored before there were kinds
  std::string document;            ///< JSON, as the kind reads it
  std::string transaction_prefix;  ///< drawn once, so that no transaction ID is ever used again
};

enum class DeliveryStatus { up, down, paused, untested };
std::string_view name_of(DeliveryStatus status);

/// Why a service is paused. The numbers are stored.
enum class PauseCause : std::int64_t {
  by_operator = 1,
  undeclared = 2,   ///< the configuration, which declared it, does no longer
  by_receiver = 4,  ///< it wants nothing more
};

/// Any number of causes: a service rests until none is left.
class PauseCauses {
 public:
  constexpr PauseCauses() = default;
  /// As it is stored.
  explicit constexpr PauseCauses(std::int64_t bits) : bits_(bits) {}

  [[nodiscard]] constexpr bool any() const { return bits_ != 0; }
  [[nodiscard]] constexpr bool has(PauseCause cause) const {
    return (bits_ & static_cast<std::int64_t>(cause)) != 0;
  }
  constexpr void add(PauseCause cause) { bits_ |= static_cast<std::int64_t>(cause); }
  constexpr void remove(PauseCause cause) { bits_ &= ~static_cast<std::int64_t>(cause); }
  [[nodiscard]] constexpr std::int64_t bits() const { return bits_; }
  bool operator==(const PauseCauses&) const = default;

 private:
  std::int64_t bits_ = 0;
};

/// How a service does, over all streams.
struct DeliveryState {
  DeliveryStatus status = DeliveryStatus::untested;
  PauseCauses paused_by;      ///< some, when the status is `paused`
  std::int64_t attempts = 0;  ///< failed ones, of the oldest unsent transaction
  Duration retry_interval{};
  std::optional<WallTime> next_attempt_at;
  std::string last_error;
};

struct StoredService {
  ServiceRow row;
  DeliveryState delivery;
};

Result<std::vector<StoredService>> read_services(SqlConnection& connection);
Result<ServiceKey> insert_service(SqlConnection& connection, const ServiceRow& row, WallTime now);
/// And who declared it. Its kind stays.
Result<void> update_document(SqlConnection& connection, const ServiceRow& row);
/// With its cursors and inboxes.
Result<void> delete_service(SqlConnection& connection, ServiceKey service);
/// Changes nothing when the service is gone.
Result<void> update_delivery(SqlConnection& connection, ServiceKey service,
                             const DeliveryState& state);

}  // namespace postrider
