#pragma once

#include "postrider/api/http/message.hpp"
#include "postrider/stream/stream.hpp"

namespace postrider {

/// Where a reader begins: after the token in Last-Event-ID or `after`; without one, after what
/// retention has dropped. On the engine thread.
Async<Result<StreamId>> start_position(Stream* stream, const HttpServerRequest& request);

/// Facts after `after` as they come, as server-sent events: `event: fact`, `id:` a token to go on
/// from, `data:` {"id":…,"fact":…}. Ends when the client goes or the server stops. Source: WHATWG
/// HTML, "Server-sent events".
HttpServerResponse follow_response(Runtime& runtime, Stream& stream, StreamId after);

}  // namespace postrider
