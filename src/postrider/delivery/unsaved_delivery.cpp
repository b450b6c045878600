#include "postrider/delivery/unsaved_delivery.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "postrider/store/inbox.hpp"

namespace postrider {

UnsavedDelivery::UnsavedDelivery(const Service& service)
    : service_(service.row.key), state_revision_(service.revision.current()) {
  if (!service.revision.is_saved()) state_ = service.delivery;
  for (const auto& [stream, each] : service.streams) {
    if (each.revision.is_saved()) continue;
    cursors_.push_back({stream, each.cursor, each.revision.current()});
  }
}

void UnsavedDelivery::set_cursor(const Service& service, StreamKey stream,
                                 const DeliveryCursor& cursor) {
  std::erase_if(cursors_, [stream](const Cursor& each) { return each.stream == stream; });
  const auto known = service.streams.find(stream);
  const std::uint64_t revision =
      known == service.streams.end() ? 0 : known->second.revision.current();
  cursors_.push_back({stream, cursor, revision});
}

Result<void> UnsavedDelivery::write(SqlConnection& connection) const {
  if (state_) TRY_VOID(update_delivery(connection, service_, *state_));
  for (const auto& [stream, cursor, revision] : cursors_) {
    TRY_VOID(put_cursor(connection, service_, stream, cursor));
    TRY_VOID(drop_inbox_blocks(connection, service_, stream, cursor.acknowledged));
  }
  return {};
}

void UnsavedDelivery::set_saved(Service& service) const {
  service.revision.set_saved(state_revision_);
  for (const Cursor& each : cursors_) {
    service.streams.at(each.stream).revision.set_saved(each.revision);
  }
}

Async<Result<void>> save_delivery(Commits& commits, Service* service) {
  UnsavedDelivery unsaved;
  std::function<void()> prepare = [&unsaved, service] { unsaved = UnsavedDelivery(*service); };
  std::function<Result<void>(SqlConnection&)> apply = [&unsaved](SqlConnection& connection) {
    return unsaved.write(connection);
  };
  CO_TRY_VOID(co_await commits.commit(std::move(prepare), std::move(apply)));
  unsaved.set_saved(*service);
  co_return Result<void>{};
}

}  // namespace postrider
