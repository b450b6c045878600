#pragma once

#include "postrider/api/public_routes.hpp"
#include "postrider/app/config/settings.hpp"
#include "postrider/engine/engine.hpp"

namespace postrider {

/// The parts of the configuration that belong to each module, in that module's own terms.
EngineSettings engine_settings(const Settings& settings);
PublicApiSettings public_api_settings(const Settings& settings);
CatalogSettings catalog_settings(const Settings& settings);

}  // namespace postrider
