#pragma once

#include <boost/json/object.hpp>

#include "postrider/delivery/service.hpp"

namespace postrider {

/// A service as the admin API shows it, without its tokens. On the engine thread.
boost::json::object service_view(const Service& service, WallTime now);

/// RFC 3339 in UTC with milliseconds.
std::string utc_text(WallTime time);

}  // namespace postrider
