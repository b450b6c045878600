#pragma once

#include <string>
#include <string_view>

#include "postrider/api/http/message.hpp"
#include "postrider/base/time.hpp"

namespace postrider {

/// What a receiver says of one transaction.
struct ReceivedTransaction {
  std::string path;    ///< as sent; of an application service, without the ID
  std::string raw_id;  ///< as sent
  std::string id;      ///< decoded
  WallTime received_at{};
  int status = 0;         ///< of the answer; 0: there was none
  std::string signature;  ///< what is said of a webhook's; empty: it was not looked at
  bool is_ping = false;   ///< a webhook's, of no stream; the one before it may come again
  bool is_repeated = false;
};

/// A webhook names its ID in the header `webhook-id`; of an application service it is the last
/// segment of the path.
ReceivedTransaction received_transaction(const HttpServerRequest& request, WallTime now);

/// Each gives one line with its end. The text of a webhook shows its first facts below, a line
/// each.
std::string log_line_of(const ReceivedTransaction& transaction, std::string_view body);
std::string json_line_of(const ReceivedTransaction& transaction, std::string_view body);
std::string text_line_of(const ReceivedTransaction& transaction, std::string_view body,
                         bool in_colour);

}  // namespace postrider
