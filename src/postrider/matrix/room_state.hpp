#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "postrider/matrix/matrix_attributes.hpp"
#include "postrider/matrix/namespace_index.hpp"

namespace postrider {

/// What a fact changes in the rooms of its stream, to be stored with the sorter's commit. Of every
/// user and alias, not only of those that matter now: a service that is registered later must
/// learn of the rooms that its users are in already.
struct MembershipChange {
  std::string room_id;
  std::string user_id;
  bool joined = false;
  bool operator==(const MembershipChange&) const = default;
};
struct AliasChange {
  std::string room_id;
  std::string source;                ///< the state that lists them
  std::vector<std::string> aliases;  ///< all that it lists now
  bool operator==(const AliasChange&) const = default;
};
struct RoomChanges {
  std::vector<MembershipChange> memberships;
  std::vector<AliasChange> aliases;
};

/// Which services are interested in a room because a user of theirs is joined, or because of an
/// alias, at one point of one stream. Holds only rooms and users that matter to some service. All
/// calls take an index of the same rules; when the rules change for some services, these are
/// removed and then restored from the stored rows.
class RoomState {
 public:
  /// `index`: of the rules that follow.
  void remove_services(NamespaceIndex& index, const ServiceSet& services);
  /// Counts a stored row for those of `services` that are interested in it: each row once, and no
  /// service that counts rooms already.
  void restore_member(NamespaceIndex& index, const ServiceSet& services, std::string_view room_id,
                      std::string_view user_id);
  void restore_alias(NamespaceIndex& index, const ServiceSet& services, std::string_view room_id,
                     std::string_view source, std::string_view alias);

  /// Follows one fact and adds what is to be stored to `changes`.
  void apply(NamespaceIndex& index, const MatrixAttributes& event, RoomChanges& changes);
  /// Valid until the next change.
  [[nodiscard]] const ServiceSet& interested(std::string_view room_id) const;
  /// How many rooms matter to some service.
  [[nodiscard]] std::size_t room_count() const { return rooms_.size(); }
  bool operator==(const RoomState&) const = default;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  /// A room knows for each service how many of its users and alias sources hold it there, so that
  /// a fact of a large room costs no more than one of a small room.
  struct Room {
    void hold(const ServiceSet& by);
    void release(const ServiceSet& by);
    /// However often they hold it.
    void remove(const ServiceSet& gone);

    ServiceSet services;
    std::vector<std::uint32_t> holds;  ///< of each of `services`; never 0
    std::unordered_set<std::string, Hash, std::equal_to<>> joined;
    std::map<std::string, ServiceSet, std::less<>> aliases;  ///< by source
    bool operator==(const Room&) const = default;
  };
  using Rooms = std::unordered_map<std::string, Room, Hash, std::equal_to<>>;

  Room& room(std::string_view room_id);
  /// True when that is known already.
  bool join(NamespaceIndex& index, std::string_view room_id, std::string_view user_id);
  void leave(NamespaceIndex& index, std::string_view room_id, std::string_view user_id);
  void hold_by_alias(const ServiceSet& services, std::string_view room_id, std::string_view source);
  void apply_membership(NamespaceIndex& index, const MatrixAttributes& event, RoomChanges& changes);
  void apply_aliases(NamespaceIndex& index, const MatrixAttributes& event, RoomChanges& changes);

  Rooms rooms_;
};

/// The services that are interested in one fact, in linear order: its sender, its state_key when it
/// is a membership, its room by ID, alias or joined user. What the fact changes counts already:
/// who joins by it makes the room interesting, and who leaves by it no longer does but still gets
/// it as its state_key. A fact that takes the last interesting alias away is of interest too.
ServiceSet decide(NamespaceIndex& index, RoomState& rooms, const MatrixAttributes& event,
                  RoomChanges& changes);

}  // namespace postrider
