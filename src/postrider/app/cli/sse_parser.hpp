#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider {

/// One message of a server-sent stream. Source: the HTML standard, "Server-sent events".
struct SseMessage {
  std::string name;  ///< the `event` field
  std::string data;
  std::string id;  ///< the last one that was sent, also by an earlier message
  bool operator==(const SseMessage&) const = default;
};

/// Reads a server-sent stream, in parts that are cut anywhere. Lines end with LF, CR or CR LF.
class SseParser {
 public:
  /// Gives the messages that end in this part.
  std::vector<SseMessage> feed(std::string_view part);

 private:
  void take_line(std::vector<SseMessage>& messages);

  std::string line_;
  SseMessage message_;
  bool has_data_ = false;
  bool after_carriage_return_ = false;
};

}  // namespace postrider
