#include "postrider/engine/catalog.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "postrider/base/assert.hpp"
#include "postrider/matrix/matrix_format.hpp"
#include "postrider/matrix/matrix_interest.hpp"
#include "postrider/matrix/matrix_receiver.hpp"
#include "postrider/sort/type_interest.hpp"
#include "postrider/webhook/json_format.hpp"
#include "postrider/webhook/webhook_receiver.hpp"

namespace postrider {
namespace {

using Pointers = std::map<std::string, std::string>;

std::shared_ptr<const StreamFormat> make_json(const Pointers& pointers) {
  return std::make_shared<const JsonFormat>(pointers);
}
std::shared_ptr<const StreamFormat> make_matrix(const Pointers&) {
  return std::make_shared<const MatrixFormat>();
}
std::unique_ptr<const InterestPolicy> decide_by_type(const CatalogSettings&) {
  return std::make_unique<const TypePolicy>(std::to_underlying(JsonAttribute::type));
}
std::unique_ptr<const InterestPolicy> decide_by_room(const CatalogSettings& settings) {
  return std::make_unique<const MatrixPolicy>(settings.server_name);
}

struct FormatEntry {
  std::string_view name;
  std::shared_ptr<const StreamFormat> (*make)(const Pointers& pointers);
  std::unique_ptr<const InterestPolicy> (*make_policy)(const CatalogSettings& settings);
  bool has_pointers = false;
};

constexpr std::array<FormatEntry, 2> formats = {{
    {"json", make_json, decide_by_type, true},
    {"matrix", make_matrix, decide_by_room, false},
}};

const FormatEntry* find_format(std::string_view name) {
  const auto found = std::ranges::find(formats, name, &FormatEntry::name);
  return found == formats.end() ? nullptr : &*found;
}

/// The first is meant where a document names no kind: registration files are older than kinds.
std::vector<std::unique_ptr<const ReceiverKind>> make_kinds(const CatalogSettings& settings) {
  std::vector<std::unique_ptr<const ReceiverKind>> kinds;
  kinds.push_back(std::make_unique<const MatrixKind>(settings.registration));
  kinds.push_back(std::make_unique<const WebhookKind>());
  return kinds;
}

}  // namespace

Catalog::Catalog(const CatalogSettings& settings) : kinds_(make_kinds(settings)) {
  for (const FormatEntry& format : formats) {
    policies_.emplace(format.name, format.make_policy(settings));
  }
}

std::shared_ptr<const StreamFormat> Catalog::make_format(std::string_view name,
                                                         const Pointers& pointers) {
  const FormatEntry* format = find_format(name);
  return format == nullptr ? nullptr : format->make(pointers);
}

const InterestPolicy& Catalog::policy(std::string_view format) const {
  const auto found = policies_.find(format);
  POSTRIDER_ASSERT(found != policies_.end(), "no format {}", format);
  return *found->second;
}

std::vector<std::string_view> stream_format_names() {
  std::vector<std::string_view> names;
  for (const FormatEntry& format : formats) names.push_back(format.name);
  return names;
}

std::vector<std::string_view> chosen_attributes(std::string_view format) {
  std::vector<std::string_view> names;
  const FormatEntry* entry = find_format(format);
  if (entry == nullptr || !entry->has_pointers) return names;
  const auto made = entry->make({});
  for (const AttributeSpec& attribute : made->schema()) names.push_back(attribute.name);
  return names;
}

}  // namespace postrider
