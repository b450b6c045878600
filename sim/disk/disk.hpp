#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/world/random.hpp"

namespace postrider::sim {

/// What goes wrong on a disk, mostly in thousandths of the operations of a kind.
struct DiskFaults {
  int sync_fails = 0;
  int next_syncs_fail = 0;  ///< how many, from the next one on
  int write_fails = 0;
  int read_fails = 0;
  std::uint64_t capacity_bytes = UINT64_MAX;  ///< of all files together
};

/// A disk in memory that knows what has been synced. When power is lost it keeps what was synced
/// and, of what was not, whatever a real disk could keep: nothing, all, a prefix, or any choice of
/// sectors. What a failed sync was to make durable may be lost although it can still be read: the
/// next sync does not cover it (the lesson of fsync on Linux).
class Disk {
 public:
  static constexpr std::size_t sector_bytes = 512;

  /// One file, as its users see it and as the disk holds it.
  class File {
   public:
    [[nodiscard]] std::uint64_t size() const { return seen_.size(); }

   private:
    friend class Disk;
    struct Change {
      std::uint64_t offset = 0;
      std::string bytes;
      bool truncates = false;  ///< to `offset`
    };
    static void apply(std::string& image, const Change& change);

    std::string seen_;
    std::string durable_;
    std::vector<Change> unsynced_;
    bool entry_durable_ = false;  ///< the file itself outlives a loss of power
  };

  enum class Status { ok, failed, full };

  explicit Disk(Random random) : random_(random) {}
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  DiskFaults faults;

  std::shared_ptr<File> open(const std::string& name, bool create);
  [[nodiscard]] bool exists(const std::string& name) const { return files_.contains(name); }
  Status remove(const std::string& name, bool durably);

  Status read(const File& file, std::uint64_t offset, std::span<char> into);
  Status write(File& file, std::uint64_t offset, std::string_view bytes);
  Status truncate(File& file, std::uint64_t size);
  Status sync(File& file);

  /// Power is lost in the `count`-th change from now on (1: the next). From then on everything
  /// fails without effect.
  void lose_power_after(std::uint64_t count) { changes_left_ = count; }
  void lose_power() { powerless_ = true; }
  [[nodiscard]] bool powerless() const { return powerless_; }
  /// Power is back: decides what the disk kept. With `none` only the process had died, and the
  /// system kept every write. Nobody may hold a file open.
  enum class Loss : std::uint8_t { none, power };
  void restore_power(Loss loss);

  struct Counts {
    std::uint64_t syncs = 0;
    std::uint64_t failed = 0;       ///< operations that a fault made fail
    std::uint64_t lost_writes = 0;  ///< changes of which a loss of power took all or a part
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  bool takes_power();
  [[nodiscard]] std::uint64_t used_bytes() const;
  void settle(File& file);
  void keep_some(File& file, const File::Change& change);

  Random random_;
  std::map<std::string, std::shared_ptr<File>> files_;
  std::map<std::string, std::shared_ptr<File>> removed_;  ///< their removal is not durable
  std::uint64_t changes_left_ = 0;                        ///< 0: power stays
  bool powerless_ = false;
  Counts counts_;
};

}  // namespace postrider::sim
