#pragma once

#include <expected>
#include <functional>
#include <vector>

#include "postrider/app/config/loaded_document.hpp"
#include "postrider/app/config/settings.hpp"
#include "postrider/base/result.hpp"

namespace postrider {

/// Says what is wrong with one registration, as JSON pointers.
using RegistrationCheck = std::function<Result<void>(const boost::json::value&)>;

/// Reads the files of `services:` in their order. Errors, all of them at once: files that cannot
/// be read, what `check` finds, an id or a token that two files share (naming both, never the
/// token), more files than `limits.services_max`.
std::expected<std::vector<LoadedDocument>, ConfigErrors> load_registrations(
    const Settings& settings, const RegistrationCheck& check);

}  // namespace postrider
