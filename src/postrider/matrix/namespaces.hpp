#pragma once

#include <string>
#include <vector>

namespace postrider {

struct NamespaceEntry {
  std::string regex;
  bool exclusive = false;
  bool operator==(const NamespaceEntry&) const = default;
};

/// The patterns that decide which facts a service gets.
struct Namespaces {
  std::vector<NamespaceEntry> users = {};
  std::vector<NamespaceEntry> aliases = {};
  std::vector<NamespaceEntry> rooms = {};
  bool operator==(const Namespaces&) const = default;
};

}  // namespace postrider
