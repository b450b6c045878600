#include "postrider/api/http/router.hpp"

#include <algorithm>

#include "postrider/base/assert.hpp"

namespace postrider {

std::vector<HttpRouter::Segment> HttpRouter::parse_template(std::string_view path_template) {
  POSTRIDER_ASSERT(path_template.starts_with('/'), "template {}", path_template);
  std::vector<Segment> segments;
  std::string_view rest = path_template.substr(1);
  while (!rest.empty()) {
    const std::size_t length = std::min(rest.find('/'), rest.size());
    std::string_view text = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
    Segment segment;
    if (text.starts_with('{')) {
      const bool takes_rest = text.ends_with("*}");
      POSTRIDER_ASSERT(text.ends_with('}'), "template {}", path_template);
      POSTRIDER_ASSERT(!takes_rest || rest.empty(), "template {}", path_template);
      segment.kind = takes_rest ? Segment::Kind::rest : Segment::Kind::parameter;
      text = text.substr(1, text.size() - (takes_rest ? 3 : 2));
    }
    POSTRIDER_ASSERT(!text.empty(), "template {}", path_template);
    segment.text = text;
    segments.push_back(std::move(segment));
  }
  return segments;
}

void HttpRouter::add(HttpRoute route) {
  POSTRIDER_ASSERT(route.handler != nullptr, "{} {}", route.method, route.path_template);
  std::vector<Segment> segments = parse_template(route.path_template);
  entries_.push_back({std::move(route), std::move(segments)});
}

bool HttpRouter::fits(const std::vector<Segment>& segments, const HttpServerRequest& request) {
  const std::vector<std::string>& sent = request.segments;
  const bool takes_rest = !segments.empty() && segments.back().kind == Segment::Kind::rest;
  if (takes_rest ? sent.size() < segments.size() : sent.size() != segments.size()) return false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    if (segment.kind == Segment::Kind::literal && segment.text != sent[i]) return false;
    if (segment.kind == Segment::Kind::parameter && sent[i].empty()) return false;
  }
  return true;
}

void HttpRouter::fill_parameters(const std::vector<Segment>& segments, HttpServerRequest& request) {
  request.path_parameters.clear();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].kind != Segment::Kind::parameter) continue;
    request.path_parameters.emplace_back(segments[i].text, request.segments[i]);
  }
}

HttpRouter::Found HttpRouter::find(HttpServerRequest& request) const {
  const std::string_view sent = request.method;
  const std::string_view method = sent == "HEAD" ? "GET" : sent;
  std::vector<std::string_view> methods;
  for (const Entry& entry : entries_) {
    if (!fits(entry.segments, request)) continue;
    if (entry.route.method == method) {
      fill_parameters(entry.segments, request);
      return {&entry.route};
    }
    methods.push_back(entry.route.method);
    if (entry.route.method == "GET") methods.emplace_back("HEAD");
  }
  std::ranges::sort(methods);
  const auto repeated = std::ranges::unique(methods);
  methods.erase(repeated.begin(), repeated.end());
  return {nullptr, fmt::format("{}", fmt::join(methods, ", "))};
}

}  // namespace postrider
