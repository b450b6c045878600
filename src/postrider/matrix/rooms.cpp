#include "postrider/matrix/rooms.hpp"

namespace postrider {
namespace {

constexpr Statement put_member_sql{
    "INSERT INTO members (stream_key, room_id, user_id) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING"};
constexpr Statement remove_member_sql{
    "DELETE FROM members WHERE stream_key = $1 AND room_id = $2 AND user_id = $3"};
constexpr Statement read_members_sql{"SELECT room_id, user_id FROM members WHERE stream_key = $1"};
constexpr Statement clear_aliases_sql{
    "DELETE FROM room_aliases WHERE stream_key = $1 AND room_id = $2 AND source = $3"};
constexpr Statement put_alias_sql{
    "INSERT INTO room_aliases (stream_key, room_id, source, alias) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT DO NOTHING"};
constexpr Statement read_aliases_sql{
    "SELECT room_id, source, alias FROM room_aliases WHERE stream_key = $1"};

}  // namespace

Result<void> put_member(SqlConnection& connection, StreamKey stream, std::string_view room_id,
                        std::string_view user_id) {
  return connection.enqueue(put_member_sql, {stream.value, room_id, user_id});
}

Result<void> remove_member(SqlConnection& connection, StreamKey stream, std::string_view room_id,
                           std::string_view user_id) {
  return connection.enqueue(remove_member_sql, {stream.value, room_id, user_id});
}

Result<void> read_members(SqlConnection& connection, StreamKey stream,
                          const std::function<void(std::string_view, std::string_view)>& each) {
  TRY_VOID(connection.execute(read_members_sql, {stream.value},
                              [&each](const SqlRow& row) { each(row.text(0), row.text(1)); }));
  return {};
}

Result<void> clear_aliases(SqlConnection& connection, StreamKey stream, std::string_view room_id,
                           std::string_view source) {
  return connection.enqueue(clear_aliases_sql, {stream.value, room_id, source});
}

Result<void> put_alias(SqlConnection& connection, StreamKey stream, std::string_view room_id,
                       std::string_view source, std::string_view alias) {
  return connection.enqueue(put_alias_sql, {stream.value, room_id, source, alias});
}

Result<void> read_aliases(
    SqlConnection& connection, StreamKey stream,
    const std::function<void(std::string_view, std::string_view, std::string_view)>& each) {
  TRY_VOID(connection.execute(read_aliases_sql, {stream.value}, [&each](const SqlRow& row) {
    each(row.text(0), row.text(1), row.text(2));
  }));
  return {};
}

}  // namespace postrider
