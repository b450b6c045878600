#include "postrider/matrix/matrix_attributes.hpp"

#include <utility>

namespace postrider {
namespace {

constexpr std::size_t at(MatrixAttribute attribute) {
  return std::to_underlying(attribute);
}

}  // namespace

MatrixAttributes matrix_attributes(const AttributeView& fact) {
  MatrixAttributes event;
  event.type = fact.text(at(MatrixAttribute::type));
  event.room_id = fact.text(at(MatrixAttribute::room_id));
  event.sender = fact.text(at(MatrixAttribute::sender));
  event.event_id = fact.text(at(MatrixAttribute::event_id));
  if (fact.has(at(MatrixAttribute::state_key))) {
    event.state_key = fact.text(at(MatrixAttribute::state_key));
  }
  event.origin_server_ts = fact.number(at(MatrixAttribute::origin_server_ts));
  event.membership = fact.text(at(MatrixAttribute::membership));
  event.names_aliases = fact.has(at(MatrixAttribute::aliases));
  if (event.names_aliases) event.aliases = fact.texts(at(MatrixAttribute::aliases));
  return event;
}

void write_matrix_attributes(const MatrixAttributes& event, AttributeWriter& fact) {
  const auto write = [&fact](MatrixAttribute attribute, std::string_view text) {
    if (!text.empty()) fact.text(at(attribute), text);
  };
  write(MatrixAttribute::type, event.type);
  write(MatrixAttribute::room_id, event.room_id);
  write(MatrixAttribute::sender, event.sender);
  write(MatrixAttribute::event_id, event.event_id);
  if (event.state_key) fact.text(at(MatrixAttribute::state_key), *event.state_key);
  if (event.origin_server_ts != 0) {
    fact.number(at(MatrixAttribute::origin_server_ts), event.origin_server_ts);
  }
  write(MatrixAttribute::membership, event.membership);
  if (event.names_aliases) fact.texts(at(MatrixAttribute::aliases), event.aliases);
}

}  // namespace postrider
