#pragma once

#include <functional>
#include <string_view>

#include "postrider/base/strong.hpp"
#include "postrider/store/sql.hpp"

namespace postrider {

/// Who is joined where, and what rooms are called, as the sorter last saw it in each stream.
Result<void> put_member(SqlConnection& connection, StreamKey stream, std::string_view room_id,
                        std::string_view user_id);
Result<void> remove_member(SqlConnection& connection, StreamKey stream, std::string_view room_id,
                           std::string_view user_id);
Result<void> read_members(
    SqlConnection& connection, StreamKey stream,
    const std::function<void(std::string_view room_id, std::string_view user_id)>& each);

/// `source` names the state that lists the aliases; it replaces what it listed before.
Result<void> clear_aliases(SqlConnection& connection, StreamKey stream, std::string_view room_id,
                           std::string_view source);
Result<void> put_alias(SqlConnection& connection, StreamKey stream, std::string_view room_id,
                       std::string_view source, std::string_view alias);
Result<void> read_aliases(
    SqlConnection& connection, StreamKey stream,
    const std::function<void(std::string_view room_id, std::string_view source,
                             std::string_view alias)>& each);

}  // namespace postrider
