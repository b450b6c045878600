#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace postrider::sim {

// What a service must see, written from the rules alone: nothing here knows the engine.

/// A fact as its producer meant it.
struct PlainFact {
  std::string type;
  std::string sender;
  std::string room;
  std::optional<std::string> state_key;
  std::string membership;            ///< of a membership fact
  std::vector<std::string> aliases;  ///< of a fact that names the room
};

/// A registration whose patterns are all "begins with".
struct PlainRegistration {
  std::string sender_localpart;
  std::vector<std::string> users;
  std::vector<std::string> rooms;
  std::vector<std::string> aliases;
  bool operator==(const PlainRegistration&) const = default;
};

/// A webhook whose types are all "begins with", of streams that are named in full.
struct PlainWebhook {
  std::vector<std::string> types;
  std::vector<std::string> streams;  ///< empty: all
  bool operator==(const PlainWebhook&) const = default;
};

using PlainService = std::variant<PlainRegistration, PlainWebhook>;

/// Who is joined where and what rooms are called, at one point of one stream.
class PlainRooms {
 public:
  /// `server` empty: every user is local.
  explicit PlainRooms(std::string server) : server_(std::move(server)) {}

  /// Whether the registration makes the fact, which comes next, of interest.
  [[nodiscard]] bool interests(const PlainRegistration& registration, const PlainFact& fact) const;
  /// The fact has happened.
  void follow(const PlainFact& fact);

 private:
  struct Room {
    std::set<std::string> joined;
    std::map<std::string, std::vector<std::string>> aliases;  ///< by the state that lists them
  };
  [[nodiscard]] bool is_local(const std::string& user) const;
  [[nodiscard]] bool is_users(const PlainRegistration& registration, const std::string& user) const;
  [[nodiscard]] bool is_in(const PlainRegistration& registration, const Room& room) const;
  static void apply(Room& room, const PlainFact& fact);

  std::string server_;
  std::map<std::string, Room> rooms_;
};

/// One stream, at one point of it.
class PlainStream {
 public:
  /// `has_rooms`: its facts are events of Matrix. In another no registration sees anything.
  PlainStream(std::string name, bool has_rooms, std::string server)
      : name_(std::move(name)), has_rooms_(has_rooms), rooms_(std::move(server)) {}

  /// Whether the service is to get the fact, which comes next.
  [[nodiscard]] bool interests(const PlainService& service, const PlainFact& fact) const;
  /// The fact has happened.
  void follow(const PlainFact& fact) { rooms_.follow(fact); }

 private:
  std::string name_;
  bool has_rooms_;
  PlainRooms rooms_;
};

}  // namespace postrider::sim
