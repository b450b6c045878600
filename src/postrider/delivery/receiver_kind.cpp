#include "postrider/delivery/receiver_kind.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "postrider/base/assert.hpp"

namespace postrider {

Verdict judge_by_status(int status) {
  return status >= 200 && status < 300 ? Verdict::delivered : Verdict::retry;
}

ReceiverKinds::ReceiverKinds(std::vector<std::unique_ptr<const ReceiverKind>> kinds)
    : kinds_(std::move(kinds)) {
  POSTRIDER_ASSERT(!kinds_.empty(), "a server without kinds of receivers");
}

const ReceiverKind* ReceiverKinds::find(std::string_view name) const {
  if (name.empty()) return kinds_.front().get();
  for (const auto& kind : kinds_) {
    if (kind->name() == name) return kind.get();
  }
  return nullptr;
}

Result<const ReceiverKind*> ReceiverKinds::of(const boost::json::value& document) const {
  if (!document.is_object()) {
    return fail(Code::invalid_argument, "the document of a service must be a JSON object");
  }
  const boost::json::value* named = document.get_object().if_contains("kind");
  if (named == nullptr) return kinds_.front().get();
  const ReceiverKind* kind =
      named->is_string() && !named->get_string().empty() ? find(named->get_string()) : nullptr;
  if (kind != nullptr) return kind;
  std::string allowed;
  for (const auto& each : kinds_) {
    allowed += fmt::format("{}\"{}\"", allowed.empty() ? "" : ", ", each->name());
  }
  Error error{Code::invalid_argument, "the service is of no kind that is known: /kind must be " +
                                          allowed + "; without it the kind is \"" +
                                          std::string(kinds_.front()->name()) + "\""};
  error.fields = {{"/kind", "must be one of " + allowed}};
  return std::unexpected(std::move(error));
}

Result<std::shared_ptr<const Receiver>> ReceiverKinds::parse(
    const boost::json::value& document) const {
  TRY(const ReceiverKind* kind, of(document));
  return kind->parse(document.get_object());
}

Result<std::shared_ptr<const Receiver>> ReceiverKinds::parse_stored(
    std::string_view id, std::string_view kind, const std::string& document) const {
  const ReceiverKind* known = find(kind);
  if (known == nullptr) {
    return fail(Code::storage_incompatible,
                "service \"{}\" is of kind \"{}\", which this version does not know", id, kind);
  }
  boost::system::error_code error;
  const auto parsed = boost::json::parse(document, error);
  if (error || !parsed.is_object()) {
    return fail(Code::storage_failed, "service \"{}\": its stored document is not a JSON object",
                id);
  }
  return known->parse(parsed.get_object());
}

}  // namespace postrider
