#pragma once

#include <string_view>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// Who holds a lease; session 0 when nobody ever has. A lease is held as long as its session lives.
Result<SessionKey> read_lease(SqlConnection& connection, std::string_view name);
/// Takes it from a session that was seen to have ended; false when another one has it meanwhile.
Result<bool> take_lease(SqlConnection& connection, std::string_view name, SessionKey from,
                        SessionKey to);

}  // namespace postrider
