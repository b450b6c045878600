#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "postrider/base/result.hpp"

namespace postrider {

inline constexpr std::size_t service_id_bytes_max = 255;
/// Further mistakes are counted and not named.
inline constexpr std::size_t document_mistakes_max = 100;

/// Reads the document of a service and collects everything that is wrong with it, each mistake at
/// its JSON pointer. Lives as long as the document does.
class DocumentReader {
 public:
  explicit DocumentReader(const boost::json::object& document) : document_(document) {}

  void add_mistake(std::string pointer, std::string detail);
  /// The error that names all mistakes; of no use when there are none.
  [[nodiscard]] Error error(std::string_view what) &&;
  [[nodiscard]] bool has_mistakes() const { return !mistakes_.empty(); }

  /// Null when it is not there.
  [[nodiscard]] const boost::json::value* find(std::string_view key) const {
    return document_.if_contains(key);
  }
  std::string required_text(std::string_view key, std::size_t bytes_max);
  /// The id of a service: printable ASCII without blanks, '|' and '/'.
  std::string id();
  /// A text of printable ASCII without blanks.
  std::string secret(std::string_view key, std::size_t bytes_max);
  /// False when it is not there.
  bool flag(std::string_view key);
  /// A whole number in this range; empty when it is not there.
  std::optional<std::int64_t> number(std::string_view key, std::int64_t min, std::int64_t max);
  enum class Query { allowed, refused };
  /// An http or https URL; checks `url` and complains about /url.
  void check_url(const std::string& url, Query query);

 private:
  const boost::json::object& document_;
  std::vector<FieldError> mistakes_;
  std::size_t unnamed_mistakes_ = 0;
};

}  // namespace postrider
