#pragma once

#include "postrider/api/http/message.hpp"
#include "postrider/api/stream_page.hpp"

namespace postrider {

/// Facts from a place on as they come, as server-sent events: `event: fact`, `id:` a token to go on
/// from, `data:` {"id":…,"fact":…}. Ends when the client goes or the server stops. Source: WHATWG
/// HTML, "Server-sent events".
HttpServerResponse follow_response(Runtime& runtime, Stream& stream, ReadPlace place);

}  // namespace postrider
