#pragma once

#include <string>

#include "postrider/store/services.hpp"

namespace postrider {

/// Stores a service whose document says nothing.
inline ServiceKey insert_plain_service(SqlConnection& connection, const std::string& id,
                                       WallTime now) {
  const ServiceRow row{.key = {},
                       .id = id,
                       .source = ServiceSource::api,
                       .kind = "plain",
                       .document = "{}",
                       .transaction_prefix = "00000001"};
  return insert_service(connection, row, now).value();
}

}  // namespace postrider
