#include "postrider/app/config/registration_files.hpp"

#include <array>
#include <map>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

namespace postrider {
namespace {

constexpr std::array<std::string_view, 3> unique_members = {"id", "as_token", "hs_token"};

/// Finds what two files share.
class SharedMembers {
 public:
  void look_at(const LoadedDocument& loaded, ConfigErrors& errors) {
    if (!loaded.document.is_object()) return;
    for (const std::string_view member : unique_members) {
      const boost::json::value* value = loaded.document.get_object().if_contains(member);
      if (value == nullptr || !value->is_string()) continue;
      const int line = loaded.line_of(fmt::format("/{}", member));
      const auto [first, fresh] =
          places_.try_emplace({std::string(member), std::string(value->get_string())},
                              fmt::format("{}:{}", loaded.file, line));
      if (fresh) continue;
      const std::string shown =
          member == "id" ? fmt::format(" \"{}\"", std::string(value->get_string())) : "";
      errors.push_back({loaded.file, line, std::string(member),
                        fmt::format("the {}{} is also that of {}; each service needs its own",
                                    member, shown, first->second)});
    }
  }

 private:
  std::map<std::pair<std::string, std::string>, std::string> places_;
};

}  // namespace

std::expected<std::vector<LoadedDocument>, ConfigErrors> load_registrations(
    const Settings& settings, const RegistrationCheck& check) {
  std::vector<LoadedDocument> registrations;
  ConfigErrors errors;
  SharedMembers shared;
  for (const std::string& file : settings.services) {
    auto loaded = load_document(file);
    if (!loaded) {
      for (ConfigError& error : loaded.error()) errors.push_back(std::move(error));
      continue;
    }
    if (const Result<void> checked = check(loaded->document); !checked) {
      for (ConfigError& error : loaded->errors_of(checked.error())) {
        errors.push_back(std::move(error));
      }
    }
    shared.look_at(*loaded, errors);
    registrations.push_back(*std::move(loaded));
  }
  const std::size_t services_max = settings.engine.services.services_max;
  if (settings.services.size() > services_max) {
    errors.push_back({"services", 0, "",
                      fmt::format("{} files are over limits.services_max ({})",
                                  settings.services.size(), services_max)});
  }
  sort_by_place(errors);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return registrations;
}

}  // namespace postrider
