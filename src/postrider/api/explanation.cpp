#include "postrider/api/explanation.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

namespace postrider {

namespace json = boost::json;

ExplainedAppend::ExplainedAppend(Stream& stream, std::shared_ptr<DeliveryWork> work)
    : stream_(stream),
      work_(std::move(work)),
      watch_(work_->sorter(stream.key()).watch(stream.writer())) {}

Result<ExplainedAppend> ExplainedAppend::begin(Engine& engine, Stream& stream) {
  if (auto work = engine.delivery()) return ExplainedAppend(stream, std::move(work));
  const std::string instance = engine.delivering_instance();
  return fail(
      Code::not_delivering,
      "{} who gets facts, so this one cannot explain it; nothing was"
      " appended",
      instance.empty() ? "no process decides just now" : "instance " + instance + " decides");
}

Async<Result<json::value>> ExplainedAppend::explain(std::shared_ptr<const FactBatch> facts,
                                                    AppendReceipt receipt, MonoTime until) {
  if (receipt.repeated) co_return json::value(nullptr);
  while (watch_->through() < receipt.last) {
    const Wake wake = co_await watch_->advanced().wait_until(until);
    if (wake == Wake::timed_out && watch_->through() < receipt.last) {
      co_return fail(Code::deadline,
                     "the facts are appended, from {} to {}, and who gets them is not decided yet",
                     receipt.first, receipt.last);
    }
  }
  json::array explanation;
  std::size_t index = 0;
  for (const auto& [id, services] : watch_->decisions()) {
    if (id < receipt.first || id > receipt.last || index == facts->size()) continue;
    explanation.push_back(explain_fact(id, facts->attributes(index++), services));
  }
  co_return explanation;
}

json::object ExplainedAppend::explain_fact(StreamId id, const AttributeView& attributes,
                                           const ServiceSet& services) const {
  json::object shown;
  const auto schema = stream_.format().schema();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (!attributes.has(i)) continue;
    switch (schema[i].type) {
      case AttributeType::text:
        shown[schema[i].name] = attributes.text(i);
        break;
      case AttributeType::number:
        shown[schema[i].name] = attributes.number(i);
        break;
      case AttributeType::texts: {
        json::array texts;
        for (const std::string_view text : attributes.texts(i)) texts.emplace_back(text);
        shown[schema[i].name] = std::move(texts);
        break;
      }
    }
  }
  std::vector<std::string> names;
  for (const ServiceKey key : services) {
    if (const auto service = work_->services().find(key)) names.push_back(service->row.id);
  }
  std::ranges::sort(names);
  json::array receivers;
  for (const std::string& name : names) receivers.emplace_back(name);
  return {{"id", id.value}, {"attributes", std::move(shown)}, {"receivers", std::move(receivers)}};
}

}  // namespace postrider
