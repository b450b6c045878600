#include "postrider/replication/block_row.hpp"

#include <array>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <openssl/evp.h>

namespace postrider {
namespace {

namespace json = boost::json;

constexpr std::size_t number_count = 8;

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  // Padding counts as bytes there.
  auto length = static_cast<std::size_t>(size);
  for (std::size_t i = 1; i <= 2 && i <= text.size(); ++i) {
    if (text[text.size() - i] == '=') --length;
  }
  bytes.resize(length);
  return bytes;
}

std::unexpected<Error> wrong(std::string_view what) {
  return fail(Code::invalid_argument, "the row of an RDATA command {}", what);
}

}  // namespace

std::string format_block_row(const BlockRow& row) {
  const Block& block = row.block;
  return fmt::format(R"([{},{},{},{},{},{},{},{},"{}",{},"{}"])", row.previous, row.newest_session,
                     row.index, row.count, block.first, block.last, block.fact_count,
                     unix_milliseconds(block.appended_at), block.codec, block.raw_bytes,
                     to_base64(block.data));
}

Result<BlockRow> parse_block_row(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_array()) return wrong("is not a JSON array");
  const json::array& fields = value.get_array();
  if (fields.size() != number_count + 3) return wrong("has not eleven fields");
  std::array<std::int64_t, number_count> numbers{};
  for (std::size_t i = 0; i < number_count; ++i) {
    if (!fields[i].is_int64() || fields[i].get_int64() < 0) return wrong("lacks a number");
    numbers.at(i) = fields[i].get_int64();
  }
  if (!fields[8].is_string() || !fields[9].is_int64() || !fields[10].is_string()) {
    return wrong("has a field of another kind");
  }
  const std::string_view codec = fields[8].get_string();
  if (codec != "raw" && codec != "zstd") return wrong("is packed in an unknown way");
  auto data = from_base64(fields[10].get_string());
  if (!data) return wrong("is not base64");
  BlockRow row{.previous = StreamId{numbers[0]},
               .newest_session = SessionKey{numbers[1]},
               .index = numbers[2],
               .count = numbers[3],
               .block = {}};
  row.block.first = StreamId{numbers[4]};
  row.block.last = StreamId{numbers[5]};
  row.block.fact_count = numbers[6];
  row.block.appended_at = wall_time(numbers[7]);
  row.block.codec = codec;
  row.block.raw_bytes = fields[9].get_int64();
  row.block.data = *std::move(data);
  return row;
}

}  // namespace postrider
