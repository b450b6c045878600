#pragma once

#include "postrider/api/http/message.hpp"
#include "postrider/api/stream_page.hpp"

namespace postrider {

class FollowFeeds;

/// Facts from a place on as they come, as server-sent events: `event: fact`, `id:` a token to go on
/// from, `data:` {"id":…,"fact":…}. Ends when the client goes or the server stops. Source: WHATWG
/// HTML, "Server-sent events". `feeds` must outlive the answer.
HttpServerResponse follow_response(Runtime& runtime, FollowFeeds& feeds, Stream& stream,
                                   ReadPlace place);

}  // namespace postrider
