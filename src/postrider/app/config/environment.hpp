#pragma once

#include <functional>
#include <map>
#include <string>

namespace postrider {

/// The environment variables of the process, by name.
using Environment = std::map<std::string, std::string, std::less<>>;

}  // namespace postrider
