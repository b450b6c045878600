#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postrider/matrix/namespace_index.hpp"

namespace postrider {

/// The interest of one application service.
inline ServiceInterest matrix_service(ServiceKey key, std::string localpart,
                                      Namespaces namespaces = {}) {
  return {key, std::make_shared<const MatrixInterest>(std::move(localpart), std::move(namespaces))};
}

/// An index of rules that were compiled for it.
class CompiledIndex : public NamespaceIndex {
 public:
  CompiledIndex(std::vector<ServiceInterest> services, std::string server_name,
                std::int64_t automaton_bytes = PatternIndex::automaton_bytes_max)
      : NamespaceIndex(std::make_shared<const MatrixRules>(
            std::move(services), nullptr, std::move(server_name), automaton_bytes)) {}
};

}  // namespace postrider
