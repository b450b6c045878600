#include "postrider/drivers/sqlite/wal_damage.hpp"

#include <bit>
#include <cstring>
#include <fstream>
#include <string_view>
#include <vector>

namespace postrider {
namespace {

constexpr std::uint32_t magic = 0x377f0682;  // and the lowest bit: checksums of big-endian words
constexpr std::size_t header_bytes = 32;
constexpr std::size_t frame_header_bytes = 24;
constexpr std::uint32_t page_bytes_min = 512;
constexpr std::uint32_t page_bytes_max = 65'536;

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

/// Two sums over pairs of words, each of which goes into the next.
struct Checksum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  bool operator==(const Checksum&) const = default;

  void add(std::string_view bytes, bool is_big_endian) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first += word(bytes, at, is_big_endian) + second;
      second += word(bytes, at + 4, is_big_endian) + first;
    }
  }

 private:
  static std::uint32_t word(std::string_view bytes, std::size_t at, bool is_big_endian) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    const bool is_native = is_big_endian == (std::endian::native == std::endian::big);
    return is_native ? value : std::byteswap(value);
  }
};

Checksum stored_checksum(std::string_view bytes, std::size_t at) {
  return {big_endian(bytes, at), big_endian(bytes, at + 4)};
}

/// Reads frames one after the other, and judges them.
class WalReader {
 public:
  /// False when no log begins here.
  bool read_header(std::istream& in) {
    std::string header(header_bytes, '\0');
    if (!in.read(header.data(), static_cast<std::streamsize>(header.size()))) return false;
    const std::uint32_t found = big_endian(header, 0);
    is_big_endian_ = found == (magic | 1U);
    page_bytes_ = big_endian(header, 8);
    const bool is_page = std::has_single_bit(page_bytes_) && page_bytes_ >= page_bytes_min &&
                         page_bytes_ <= page_bytes_max;
    if ((!is_big_endian_ && found != magic) || !is_page) return false;
    salts_ = header.substr(16, 8);
    Checksum sum;
    sum.add(std::string_view(header).substr(0, 24), is_big_endian_);
    before_ = stored_checksum(header, 24);
    if (sum != before_) damage_at(0);
    return true;
  }

  void read_frames(std::istream& in) {
    std::string frame(frame_header_bytes + page_bytes_, '\0');
    for (std::uint64_t offset = header_bytes;
         in.read(frame.data(), static_cast<std::streamsize>(frame.size()));
         offset += frame.size()) {
      read_frame(frame, offset);
    }
  }

  [[nodiscard]] std::optional<WalDamage> damage() const {
    if (!damage_ || !is_followed_) return std::nullopt;
    return damage_;
  }

 private:
  void damage_at(std::uint64_t offset) {
    if (!damage_) damage_ = WalDamage{.offset = offset, .commits = 0};
  }

  /// A frame that is damaged still names its own checksum, from which the next one is judged.
  void read_frame(std::string_view frame, std::uint64_t offset) {
    Checksum sum = before_;
    sum.add(frame.substr(0, 8), is_big_endian_);
    sum.add(frame.substr(frame_header_bytes), is_big_endian_);
    before_ = stored_checksum(frame, 16);
    const bool is_of_log = frame.substr(8, 8) == salts_;
    if (!is_of_log || sum != before_) return damage_at(offset);
    if (!damage_) return;
    if (damage_->commits > 0) is_followed_ = true;
    const bool ends_commit = big_endian(frame, 4) != 0;
    if (ends_commit) ++damage_->commits;
  }

  bool is_big_endian_ = false;
  std::uint32_t page_bytes_ = 0;
  std::string salts_;
  Checksum before_;
  std::optional<WalDamage> damage_;
  bool is_followed_ = false;  ///< a commit behind the damage was synced, as another one follows
};

}  // namespace

std::optional<WalDamage> find_wal_damage(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  WalReader reader;
  if (!in || !reader.read_header(in)) return std::nullopt;
  reader.read_frames(in);
  return reader.damage();
}

}  // namespace postrider
