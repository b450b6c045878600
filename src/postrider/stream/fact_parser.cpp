#include "postrider/stream/fact_parser.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "postrider/base/assert.hpp"
#include "postrider/stream/fact_spans.hpp"
#include "postrider/stream/json_scanner.hpp"

namespace postrider {
namespace {

// At least what any configuration allows, so that a stored fact is read whatever it says now.
constexpr std::size_t stored_depth_max = 1000;
constexpr std::size_t parser_bytes_min = 64U << 10;

/// Levels of arrays and objects.
std::size_t depth_of(std::string_view text) {
  JsonScanner scanner;
  std::size_t deepest = 0;
  for (const char c : text) {
    scanner.read(c);
    deepest = std::max(deepest, scanner.depth());
  }
  return deepest;
}

/// Reads one fact, which may hold `depth_max` levels and not one more.
///
/// The parser's own limit does not count an empty array or object. So it is set one lower than
/// ours, and the few facts that reach it are counted here.
class FactReader {
 public:
  explicit FactReader(std::size_t depth_max) : depth_max_(depth_max) { set_depth(depth_max); }

  /// `text` is followed by the parser's padding. The fact lives until the next call.
  simdjson::error_code read(std::string_view text, simdjson::dom::element& fact) {
    auto error = parse(text, fact);
    if (error != simdjson::DEPTH_ERROR || depth_of(text) > depth_max_) return error;
    set_depth(depth_max_ + 1);
    error = parse(text, fact);
    set_depth(depth_max_);
    return error;
  }

 private:
  static simdjson::dom::parser& parser() {
    thread_local simdjson::dom::parser instance;
    return instance;
  }
  simdjson::error_code parse(std::string_view text, simdjson::dom::element& fact) {
    return parser().parse(text.data(), text.size(), false).get(fact);
  }
  static void set_depth(std::size_t depth) {
    if (parser().max_depth() == depth) return;
    const auto error = parser().allocate(std::max(parser().capacity(), parser_bytes_min), depth);
    POSTRIDER_ASSERT(error == simdjson::SUCCESS, "no memory for a parser of {} levels", depth);
  }

  std::size_t depth_max_;
};

class Mistakes {
 public:
  void add(Code code, std::string pointer, std::string detail) {
    if (full()) return;
    if (fields_.empty()) code_ = code;
    fields_.push_back({std::move(pointer), std::move(detail)});
  }
  [[nodiscard]] bool full() const { return fields_.size() >= fact_mistakes_max; }
  [[nodiscard]] bool empty() const { return fields_.empty(); }

  /// The kind of the first mistake is the kind of the error.
  [[nodiscard]] Error to_error() && {
    const FieldError& first = fields_.front();
    std::string detail = first.pointer.empty() ? first.detail : first.pointer + " " + first.detail;
    if (fields_.size() > 1) {
      detail += fmt::format("; {}{} mistakes in all, and nothing was appended",
                            full() ? "at least " : "", fields_.size());
    }
    return Error{code_, std::move(detail), std::move(fields_)};
  }

 private:
  Code code_ = Code::invalid_argument;
  std::vector<FieldError> fields_;
};

class BodyParser {
 public:
  BodyParser(std::string body, const StreamFormat& format, const FactLimits& limits)
      : format_(format), limits_(limits), reader_(limits.json_depth_max) {
    body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    batch_ = std::make_shared<FactBatch>(std::move(body));
  }

  Result<std::shared_ptr<const FactBatch>> parse(BodyKind kind) {
    if (kind == BodyKind::ndjson) {
      each_line(body(), [this](const FactSpan& span) { return add(span); });
    } else if (const std::string_view text = trim_json(body()); text.starts_with('{')) {
      is_alone_ = true;
      add({text});
    } else if (!text.empty()) {
      TRY_VOID(each_element(body(), [this](const FactSpan& span) { return add(span); }));
    }
    if (!mistakes_.empty()) return std::unexpected(std::move(mistakes_).to_error());
    if (facts_ == 0) return fail(Code::invalid_argument, "the body holds no fact to append");
    return batch_;
  }

 private:
  [[nodiscard]] const std::string& body() const { return batch_->buffer(); }

  /// Goes on after a mistake, to report several at once.
  bool add(const FactSpan& span) {
    if (facts_ == limits_.batch_facts_max) {
      mistakes_.add(Code::limit_exceeded, "",
                    fmt::format("the body holds more than {} facts; append them in several batches",
                                limits_.batch_facts_max));
      return false;
    }
    line_ = span.line;
    if (span.text.size() > limits_.fact_bytes_max) {
      add_mistake(Code::payload_too_large, "",
                  fmt::format("has {} bytes; a fact may have {}", span.text.size(),
                              limits_.fact_bytes_max));
    } else if (span.text.front() != '{') {
      add_mistake(Code::invalid_argument, "", "is not a JSON object, and so not a fact");
    } else {
      read(span.text);
    }
    ++facts_;
    return !mistakes_.full();
  }

  void read(std::string_view text) {
    simdjson::dom::element fact;
    const auto error = reader_.read(text, fact);
    if (error == simdjson::DEPTH_ERROR) {
      add_mistake(Code::limit_exceeded, "",
                  fmt::format("is nested more than {} levels deep", limits_.json_depth_max));
      return;
    }
    if (error != simdjson::SUCCESS) {
      add_mistake(Code::malformed_json, "", "is not valid JSON: " + json_error_text(error));
      return;
    }
    batch_->add_payload(static_cast<std::size_t>(text.data() - body().data()), text.size());
    attribute_mistakes_.clear();
    format_.read_attributes(fact.get_object().value_unsafe(),
                            batch_->add_attributes(format_.schema().size()), attribute_mistakes_);
    for (FieldError& mistake : attribute_mistakes_) {
      add_mistake(Code::invalid_argument, mistake.pointer, std::move(mistake.detail));
    }
  }

  void add_mistake(Code code, const std::string& place, std::string detail) {
    if (line_ != 0) detail += fmt::format(" (line {})", line_);
    mistakes_.add(code, is_alone_ ? place : fmt::format("/{}{}", facts_, place), std::move(detail));
  }

  const StreamFormat& format_;
  const FactLimits& limits_;
  FactReader reader_;
  std::shared_ptr<FactBatch> batch_;
  std::size_t facts_ = 0;
  std::size_t line_ = 0;
  bool is_alone_ = false;
  std::vector<FieldError> attribute_mistakes_;
  Mistakes mistakes_;
};

/// A batch of which facts may be no facts of the format.
struct Attributed {
  std::shared_ptr<const FactBatch> batch;
  std::map<std::size_t, std::string> causes;  ///< by index of the fact
};

Attributed attributed(const FactBatch& stored, const StreamFormat& format) {
  std::string buffer;
  buffer.reserve(stored.buffer().size() + simdjson::SIMDJSON_PADDING);
  buffer = stored.buffer();
  auto batch = std::make_shared<FactBatch>(std::move(buffer));
  Attributed result;
  FactReader reader(stored_depth_max);
  std::vector<FieldError> mistakes;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const std::string_view payload = stored.payload(i);
    const auto offset = static_cast<std::size_t>(payload.data() - stored.buffer().data());
    batch->add_payload(offset, payload.size());
    const AttributeWriter attributes = batch->add_attributes(format.schema().size());
    simdjson::dom::element fact;
    simdjson::dom::object object;
    auto error = reader.read(batch->payload(i), fact);
    if (error == simdjson::SUCCESS) error = fact.get(object);
    if (error != simdjson::SUCCESS) {
      result.causes.emplace(i, "it is not a JSON object");
      continue;
    }
    mistakes.clear();
    format.read_attributes(object, attributes, mistakes);
    if (mistakes.empty()) continue;
    result.causes.emplace(i, mistakes.front().pointer + " " + mistakes.front().detail);
  }
  result.batch = std::move(batch);
  return result;
}

/// The first ones of the chunk, and those that follow them at once.
std::optional<UnreadableFacts> first_unreadable(const Chunk& chunk, const Attributed& facts) {
  const std::size_t end = chunk.begin + chunk.count;
  auto found = facts.causes.lower_bound(chunk.begin);
  if (found == facts.causes.end() || found->first >= end) return std::nullopt;
  const auto id = [&chunk](std::size_t index) {
    return chunk.first.plus(static_cast<std::int64_t>(index - chunk.begin));
  };
  UnreadableFacts unreadable{{id(found->first), id(found->first)}, found->second};
  for (std::size_t next = found->first + 1; next < end && facts.causes.contains(next); ++next) {
    unreadable.ids.last = id(next);
  }
  return unreadable;
}

}  // namespace

Result<std::shared_ptr<const FactBatch>> parse_facts(std::string body, BodyKind kind,
                                                     const StreamFormat& format,
                                                     const FactLimits& limits) {
  if (body.size() > std::numeric_limits<std::uint32_t>::max() - simdjson::SIMDJSON_PADDING) {
    return fail(Code::payload_too_large, "a body of {} bytes is too large", body.size());
  }
  return BodyParser(std::move(body), format, limits).parse(kind);
}

AttributedFacts with_attributes(std::vector<Chunk> chunks, const StreamFormat& format) {
  std::shared_ptr<const FactBatch> stored;
  Attributed facts;
  AttributedFacts result;
  for (Chunk& chunk : chunks) {
    if (!chunk.batch->has_attributes()) {
      if (chunk.batch != stored) {
        stored = chunk.batch;
        facts = attributed(*stored, format);
      }
      chunk.batch = facts.batch;
      result.unreadable = first_unreadable(chunk, facts);
    }
    const StreamId last = result.unreadable ? result.unreadable->ids.first.plus(-1) : chunk.last();
    if (last >= chunk.first) result.chunks.push_back(chunk.part(chunk.first.plus(-1), last));
    if (result.unreadable) break;
  }
  return result;
}

}  // namespace postrider
