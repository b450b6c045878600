#pragma once

#include <string>

#include "postrider/api/http/message.hpp"

namespace postrider {

enum class BodyForm { sized, chunked, until_close };
/// What the Connection header says; `unsaid` is right for HTTP/1.1 that goes on.
enum class AfterAnswer { unsaid, keep_alive, close };

/// 1xx, 204 and 304 have no body.
bool may_have_body(int status);

/// Appends to `head` what goes over the wire before the body. A line break in a header's value
/// becomes a blank.
void append_response_head(const HttpServerResponse& response, BodyForm form, AfterAnswer after,
                          std::string& head);

}  // namespace postrider
