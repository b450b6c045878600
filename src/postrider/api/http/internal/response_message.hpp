#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include "postrider/api/http/internal/http_socket.hpp"
#include "postrider/api/http/message.hpp"

namespace postrider {

enum class BodyForm { sized, chunked, until_close };
/// What the Connection header says; `unsaid` is right for HTTP/1.1 that goes on.
enum class AfterAnswer { unsaid, keep_alive, close };

/// An answer as it goes over the wire. A line break in a header's value becomes a blank.
class ResponseMessage {
 public:
  /// Takes the body out of `response`.
  ResponseMessage(HttpServerResponse& response, BodyForm form, AfterAnswer after);
  ResponseMessage(const ResponseMessage&) = delete;
  ResponseMessage& operator=(const ResponseMessage&) = delete;
  ~ResponseMessage() = default;

  /// One of the two, once; they live as long as this. 1xx, 204 and 304 have no body.
  WireBuffers head();
  WireBuffers head_and_body();

 private:
  void set_field(std::string_view name, std::string value);

  boost::beast::http::response<boost::beast::http::string_body> message_;
  boost::beast::http::response_serializer<boost::beast::http::string_body> serializer_{message_};
};

}  // namespace postrider
