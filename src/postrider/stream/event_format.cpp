#include "postrider/stream/event_format.hpp"

#include <array>

#include "postrider/stream/matrix_format.hpp"

namespace postrider {
namespace {

const auto& formats() {
  static const MatrixFormat matrix;
  static const std::array<const EventFormat*, 1> table = {&matrix};
  return table;
}

}  // namespace

const EventFormat* find_event_format(std::string_view name) {
  for (const EventFormat* format : formats()) {
    if (format->name() == name) return format;
  }
  return nullptr;
}

std::vector<std::string_view> event_format_names() {
  std::vector<std::string_view> names;
  for (const EventFormat* format : formats()) names.push_back(format->name());
  return names;
}

}  // namespace postrider
