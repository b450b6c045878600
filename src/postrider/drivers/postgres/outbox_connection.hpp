#pragma once

#include <memory>
#include <string>

#include "postrider/store/sql.hpp"

namespace postrider {

/// A connection to an application's own database, which connects again by itself. What it does is
/// short: whoever holds it up is given up after ten seconds.
Result<std::unique_ptr<SqlConnection>> open_outbox_connection(std::string url);

}  // namespace postrider
