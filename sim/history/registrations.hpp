#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postrider/base/strong.hpp"
#include "sim/history/ledger.hpp"

namespace postrider::sim {

/// Where a change of a service falls in each stream. Between the two ends the sorter may have
/// decided either way.
struct ChangePoint {
  std::map<std::string, StreamId> before;  ///< decided without the change, up to here
  std::map<std::string, StreamId> after;   ///< decided with it, from the next one on
};

/// One life of a service, from its creation to its deletion, known by its transactions' prefix.
struct ServiceLife {
  struct Version {
    PlainService service;
    ChangePoint since;
  };
  std::string id;
  std::string prefix;
  bool pushed = true;
  std::vector<Version> versions;
  std::optional<ChangePoint> deleted;
};

/// A change of which nobody knows yet whether it has happened.
struct DoubtfulChange {
  std::optional<PlainService> service;  ///< empty: a deletion
  bool pushed = true;
  std::map<std::string, StreamId> before;
};

/// Every service that ever was, and since when it is to see what.
class Registrations {
 public:
  using Positions = std::map<std::string, StreamId>;

  ServiceLife* current(const std::string& id);
  ServiceLife* find_by_prefix(const std::string& prefix);
  [[nodiscard]] const std::vector<std::unique_ptr<ServiceLife>>& all() const { return lives_; }

  void put(const std::string& id, const std::string& prefix, bool pushed, PlainService service,
           ChangePoint since);
  void remove(const std::string& id, ChangePoint when);
  void doubt(const std::string& id, DoubtfulChange change);
  /// What the disk says after a crash settles every doubt about the service. `stored` is empty
  /// when it is not there.
  struct Stored {
    std::string prefix;
    PlainService service;
    bool pushed = true;
  };
  /// False when the disk holds what nobody asked for.
  bool settle(const std::string& id, const std::optional<Stored>& stored, const Positions& ends);

 private:
  bool settle_presence(const std::string& id, const Stored& stored, const Positions& ends);

  std::vector<std::unique_ptr<ServiceLife>> lives_;
  std::map<std::string, std::vector<DoubtfulChange>> doubts_;
};

}  // namespace postrider::sim
