#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/stream/fact_batch.hpp"
#include "postrider/stream/stream_format.hpp"
#include "postrider/stream/unreadable_facts.hpp"

namespace postrider {

/// How a body holds its facts: a JSON array of them or one alone, or one a line.
enum class BodyKind { json, ndjson };

struct FactLimits {
  std::size_t fact_bytes_max = 1U << 20;
  std::size_t batch_facts_max = 10'000;
  std::size_t json_depth_max = 100;  ///< levels of one fact; the fact itself is the first

  bool operator==(const FactLimits&) const = default;
};

/// An error names this many mistakes at most.
inline constexpr std::size_t fact_mistakes_max = 20;

/// The facts of a body, byte for byte as they came but for white space around them, and their
/// attributes. Facts are JSON objects; the whole body is valid JSON and UTF-8, and holds at least
/// one. Stricter than the grammar of JSON in two places, for the sake of receivers that could not
/// read it: half a surrogate pair in an escape ("\ud800") and a number that fits neither 64 bits
/// nor a double (1e999) are malformed.
///
/// Errors: `malformed_json`, `payload_too_large` (a fact), `limit_exceeded` (facts, depth),
/// `invalid_argument` (an attribute, nothing to append), each with the places of the first
/// mistakes: "/3/room_id" is in the fourth fact, "/room_id" in one that is alone. Any thread.
Result<std::shared_ptr<const FactBatch>> parse_facts(std::string body, BodyKind kind,
                                                     const StreamFormat& format,
                                                     const FactLimits& limits);

struct AttributedFacts {
  std::vector<Chunk> chunks;
  /// The first facts, in order of ID, of which the format can read nothing; `chunks` end before.
  std::optional<UnreadableFacts> unreadable;
};

/// The same facts with the attributes that the format reads from them. For what was read back from
/// the database or came from another process, which may have been damaged, or appended under other
/// rules than those of today. Any thread.
AttributedFacts with_attributes(std::vector<Chunk> chunks, const StreamFormat& format);

}  // namespace postrider
