#pragma once

#include <memory>
#include <vector>

#include "postrider/sort/service_set.hpp"

namespace postrider {

/// What one service asks for, as its kind reads it from the service's document. A policy knows the
/// kinds of interest that it decides on, and gives the others nothing. Immutable; any thread.
class Interest {
 public:
  Interest() = default;
  Interest(const Interest&) = delete;
  Interest& operator=(const Interest&) = delete;
  virtual ~Interest() = default;

  /// True when both ask for the same.
  [[nodiscard]] virtual bool equals(const Interest& other) const = 0;
};

/// Two that ask for the same share one `interest`: what is compiled for it is then kept.
struct ServiceInterest {
  ServiceKey service;
  std::shared_ptr<const Interest> interest;
  bool operator==(const ServiceInterest&) const = default;
};

/// The services that are in only one of the two, or whose interest is another. Both are in order of
/// service.
ServiceSet changed_services(const std::vector<ServiceInterest>& before,
                            const std::vector<ServiceInterest>& after);

}  // namespace postrider
