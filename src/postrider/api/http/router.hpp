#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "postrider/api/http/bearer.hpp"
#include "postrider/api/http/message.hpp"

namespace postrider {

struct HttpRoute {
  std::string method;
  /// "/v1/streams/{stream}/facts": a parameter takes one segment that is not empty. A last
  /// "{name*}" takes all segments that are left, at least one; its value is not kept.
  std::string path_template;
  Role role = Role::none;
  std::uint64_t body_bytes_max = 0;
  HttpHandler handler = nullptr;
};

/// Finds the route of a request. Filled before the server starts, then only read.
class HttpRouter {
 public:
  struct Found {
    const HttpRoute* route = nullptr;
    std::string allow = {};  ///< when there is no route: the methods that the path does have
  };

  /// Where two routes fit one path, the one added first gets it.
  void add(HttpRoute route);

  /// Fills the request's path parameters. A HEAD request gets the route of GET.
  [[nodiscard]] Found find(HttpServerRequest& request) const;

 private:
  struct Segment {
    enum class Kind { literal, parameter, rest };
    Kind kind = Kind::literal;
    std::string text;  ///< the literal, or the parameter's name
  };
  struct Entry {
    HttpRoute route;
    std::vector<Segment> segments;
  };
  static std::vector<Segment> parse_template(std::string_view path_template);
  static bool fits(const std::vector<Segment>& segments, const HttpServerRequest& request);
  static void fill_parameters(const std::vector<Segment>& segments, HttpServerRequest& request);

  std::vector<Entry> entries_;
};

}  // namespace postrider
