#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "postrider/delivery/document_reader.hpp"
#include "postrider/sort/glob.hpp"
#include "postrider/webhook/webhook_receiver.hpp"

namespace postrider {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 8> known_members = {
    "id", "kind", "url", "types", "streams", "headers", "secret", "acknowledge_behind"};
constexpr std::array<std::string_view, 6> reserved_headers = {
    "content-type", "content-length", "host", "connection", "transfer-encoding", "expect"};

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lowered;
}

bool is_header_name(std::string_view name) {
  const auto is_token = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
  };
  return !name.empty() && std::ranges::all_of(name, is_token);
}

class WebhookReader {
 public:
  explicit WebhookReader(const json::object& document) : document_(document) {
    for (const auto& member : document) {
      if (std::ranges::count(known_members, std::string_view(member.key())) > 0) continue;
      document_.add_mistake(
          fmt::format("/{}", std::string_view(member.key())),
          fmt::format("is not known; a webhook has {}", fmt::join(known_members, ", ")));
    }
  }

  Result<std::shared_ptr<const Receiver>> read() {
    std::string id = document_.id();
    auto url = read_url();
    auto types = read_globs("types");
    auto streams = read_globs("streams");
    auto headers = read_headers();
    const auto behind = document_.number("acknowledge_behind", 0, acknowledge_behind_max);
    auto secret = read_secret();
    if (document_.has_mistakes()) {
      return std::unexpected(std::move(document_).error("document of the webhook"));
    }
    return std::make_shared<const WebhookReceiver>(
        WebhookDocument{std::move(id), std::move(url), std::move(types), std::move(streams),
                        std::move(headers), behind, *std::move(secret)});
  }

 private:
  std::optional<std::string> read_url() {
    const json::value* value = document_.find("url");
    if (value != nullptr && value->is_null()) return std::nullopt;
    if (value == nullptr || !value->is_string()) {
      document_.add_mistake("/url", "must be a URL, or null for a receiver that is not pushed to");
      return std::nullopt;
    }
    std::string url(value->get_string());
    document_.check_url(url, DocumentReader::Query::allowed);
    return url;
  }

  std::vector<std::string> read_globs(std::string_view key) {
    const json::value* value = document_.find(key);
    if (value == nullptr) return {"*"};
    const std::string pointer = fmt::format("/{}", key);
    if (!value->is_array() || value->get_array().empty()) {
      document_.add_mistake(pointer,
                            "must be an array of at least one glob; leave it out to receive"
                            " all");
      return {};
    }
    const json::array& array = value->get_array();
    if (array.size() > WebhookKind::globs_max) {
      document_.add_mistake(pointer, fmt::format("holds {} globs, and at most {} are allowed",
                                                 array.size(), WebhookKind::globs_max));
      return {};
    }
    std::vector<std::string> globs;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (!array[i].is_string()) {
        document_.add_mistake(fmt::format("{}/{}", pointer, i), "must be a string");
        continue;
      }
      globs.emplace_back(array[i].get_string());
      bytes += globs.back().size();
      const Result<void> checked = check_glob(globs.back());
      if (!checked) {
        document_.add_mistake(fmt::format("{}/{}", pointer, i), checked.error().detail);
      }
    }
    if (bytes > WebhookKind::globs_bytes_max) {
      document_.add_mistake(pointer, fmt::format("has {} bytes of globs; at most {} are allowed",
                                                 bytes, WebhookKind::globs_bytes_max));
    }
    return globs;
  }

  std::vector<std::pair<std::string, std::string>> read_headers() {
    std::vector<std::pair<std::string, std::string>> headers;
    const json::value* value = document_.find("headers");
    if (value == nullptr) return headers;
    if (!value->is_object() || value->get_object().size() > WebhookKind::headers_max) {
      document_.add_mistake("/headers",
                            fmt::format("must be an object of at most {} names and their values",
                                        WebhookKind::headers_max));
      return headers;
    }
    for (const auto& member : value->get_object()) {
      const std::string_view name = member.key();
      const std::string fault = header_fault(name, member.value());
      if (!fault.empty()) {
        document_.add_mistake(fmt::format("/headers/{}", name), fault);
        continue;
      }
      headers.emplace_back(name, member.value().get_string());
    }
    return headers;
  }

  static std::string header_fault(std::string_view name, const json::value& value) {
    if (!is_header_name(name)) return "is not the name of a header";
    const std::string lowered = lower(name);
    if (std::ranges::count(reserved_headers, lowered) > 0 || lowered.starts_with("webhook-")) {
      return "is set by Postrider and cannot be chosen";
    }
    if (!value.is_string()) return "must be a string";
    const json::string& text = value.get_string();
    if (text.size() > WebhookKind::header_bytes_max) {
      return fmt::format("has {} bytes; at most {} are allowed", text.size(),
                         WebhookKind::header_bytes_max);
    }
    if (text == hidden_value) {
      return "is what is shown in place of the value; send the value itself";
    }
    const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
    if (!std::ranges::all_of(text, is_printable)) return "must be printable ASCII";
    return "";
  }

  std::optional<WebhookSecret> read_secret() {
    const json::value* value = document_.find("secret");
    if (value == nullptr) {
      document_.add_mistake("/secret",
                            "is missing: a file names it, whsec_ and the base64 of 24 to 64 bytes;"
                            " the API draws one for a new webhook");
      return std::nullopt;
    }
    if (!value->is_string()) {
      document_.add_mistake("/secret", "must be a string: whsec_ and the base64 of 24 to 64 bytes");
      return std::nullopt;
    }
    auto secret = WebhookSecret::parse(value->get_string());
    if (secret) return *std::move(secret);
    document_.add_mistake("/secret", secret.error().detail);
    return std::nullopt;
  }

  DocumentReader document_;
};

}  // namespace

Result<std::shared_ptr<const Receiver>> WebhookKind::parse(const json::object& document) const {
  return WebhookReader(document).read();
}

json::object WebhookKind::draw_secrets(json::object& document, const DrawBytes& draw) const {
  json::object drawn;
  if (document.contains("secret")) return drawn;
  drawn["secret"] = WebhookSecret::of_key(draw()).text();
  document["secret"] = drawn["secret"];
  return drawn;
}

}  // namespace postrider
