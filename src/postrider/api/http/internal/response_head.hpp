#pragma once

#include <string>

#include "postrider/api/http/message.hpp"

namespace postrider {

enum class BodyForm { sized, chunked, until_close };
/// What the Connection header says; `unsaid` is right for HTTP/1.1 that goes on.
enum class AfterAnswer { unsaid, keep_alive, close };

/// Appends status line and header. A line break in a header's value becomes a blank.
void append_response_head(std::string& out, const HttpServerResponse& response, BodyForm form,
                          AfterAnswer after);

/// 1xx, 204 and 304 have none.
bool may_have_body(int status);

}  // namespace postrider
