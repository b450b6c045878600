#include "postrider/api/stream_page.hpp"

namespace postrider {
namespace {

PositionVector readable(const Stream& stream, const ReadPlace& place) {
  const PositionVector linear(stream.linear_position());
  return place.at_least ? linear.joined(*place.at_least) : linear;
}

}  // namespace

Result<ReadPlace> read_place(const Stream& stream, const HttpServerRequest& request) {
  ReadPlace place;
  if (const auto token = request.query_parameter("at_least")) {
    TRY(place.at_least, PositionVector::parse(*token));
  }
  auto token = request.header("Last-Event-ID");
  if (!token) token = request.query_parameter("after");
  if (token) {
    TRY(place.after, PositionVector::parse(*token));
  } else {
    place.after = PositionVector(stream.dropped_through());
  }
  if (place.after.minimum() < stream.dropped_through()) {
    return fail(Code::position_gone,
                "facts up to {} of stream \"{}\" are no longer kept; read from token s{} on",
                stream.dropped_through(), stream.name(), stream.dropped_through());
  }
  return place;
}

Async<Result<void>> wait_for_place(Stream* stream, ReadPlace place, MonoTime until,
                                   const bool* is_given_up) {
  PositionVector wanted = std::move(place.after);
  if (place.at_least) wanted = wanted.joined(*place.at_least);
  co_return co_await stream->wait_for(std::move(wanted), until, is_given_up);
}

Async<Result<StreamPage>> read_stream(Stream* stream, ReadPlace place, std::size_t facts_max) {
  StreamPage page;
  page.after = place.after;
  page.upto = readable(*stream, place);
  if (page.after.is_linear() && page.upto.is_linear()) {
    const StreamId after = page.after.minimum();
    CO_TRY(FactRun run, co_await stream->read(after, facts_max, Stream::WithAttributes::no));
    page.chunks = std::move(run.chunks);
    page.upto = PositionVector(std::max(page.upto.minimum(), run.through));
    page.through = PositionVector(run.through);
    page.unreadable = std::move(run.unreadable);
  } else {
    CO_TRY(auto between, co_await stream->read_between(page.after, page.upto, facts_max));
    page.chunks = std::move(between.chunks);
    page.through = std::move(between.through);
    page.unreadable = std::move(between.unreadable);
  }
  co_return page;
}

}  // namespace postrider
