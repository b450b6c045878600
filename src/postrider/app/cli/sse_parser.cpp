#include "postrider/app/cli/sse_parser.hpp"

#include <algorithm>

namespace postrider {

std::vector<SseMessage> SseParser::feed(std::string_view part) {
  std::vector<SseMessage> messages;
  for (const char c : part) {
    const bool second_of_pair = c == '\n' && after_carriage_return_;
    after_carriage_return_ = c == '\r';
    if (second_of_pair) continue;
    if (c == '\n' || c == '\r') {
      take_line(messages);
      line_.clear();
    } else {
      line_.push_back(c);
    }
  }
  return messages;
}

void SseParser::take_line(std::vector<SseMessage>& messages) {
  if (line_.empty()) {
    if (has_data_) messages.push_back(message_);
    message_.name.clear();
    message_.data.clear();
    has_data_ = false;
    return;
  }
  const std::string_view line = line_;
  const std::string_view field = line.substr(0, line.find(':'));
  std::string_view value = line.substr(std::min(field.size() + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    if (has_data_) message_.data.push_back('\n');
    message_.data += value;
    has_data_ = true;
  } else if (field == "event") {
    message_.name = value;
  } else if (field == "id" && value.find('\0') == std::string_view::npos) {
    message_.id = value;
  }
}

}  // namespace postrider
