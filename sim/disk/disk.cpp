#include "sim/disk/disk.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace postrider::sim {

void Disk::File::apply(std::string& image, const Change& change) {
  if (change.truncates) {
    image.resize(change.offset);
    return;
  }
  if (image.size() < change.offset + change.bytes.size()) {
    image.resize(change.offset + change.bytes.size());
  }
  std::ranges::copy(change.bytes, image.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

std::shared_ptr<Disk::File> Disk::open(const std::string& name, bool create) {
  if (powerless_) return nullptr;
  const auto found = files_.find(name);
  if (found != files_.end()) return found->second;
  if (!create) return nullptr;
  return files_.emplace(name, std::make_shared<File>()).first->second;
}

Disk::Status Disk::remove(const std::string& name, bool durably) {
  if (takes_power()) return Status::failed;
  const auto found = files_.find(name);
  if (found == files_.end()) return Status::ok;
  removed_.erase(name);
  if (!durably && found->second->entry_durable_) removed_.emplace(name, found->second);
  files_.erase(found);
  return Status::ok;
}

Disk::Status Disk::read(const File& file, std::uint64_t offset, std::span<char> into) {
  if (powerless_) return Status::failed;
  if (random_.chance(faults.read_fails)) {
    ++counts_.failed;
    return Status::failed;
  }
  std::ranges::fill(into, '\0');
  if (offset >= file.seen_.size()) return Status::ok;
  const std::size_t count = std::min<std::size_t>(into.size(), file.seen_.size() - offset);
  std::memcpy(into.data(), file.seen_.data() + offset, count);
  return Status::ok;
}

Disk::Status Disk::write(File& file, std::uint64_t offset, std::string_view bytes) {
  const std::uint64_t end = offset + bytes.size();
  const std::uint64_t growth = end > file.size() ? end - file.size() : 0;
  if (growth > 0 && used_bytes() + growth > faults.capacity_bytes) {
    ++counts_.failed;
    return powerless_ ? Status::failed : Status::full;
  }
  File::Change change{offset, std::string(bytes)};
  if (!powerless_ && random_.chance(faults.write_fails)) {
    ++counts_.failed;
    return Status::failed;
  }
  // The write during which power is lost is one that the disk may keep a part of.
  const bool was_powerless = powerless_;
  const bool lost = takes_power();
  if (was_powerless) return Status::failed;
  File::apply(file.seen_, change);
  file.unsynced_.push_back(std::move(change));
  return lost ? Status::failed : Status::ok;
}

Disk::Status Disk::truncate(File& file, std::uint64_t size) {
  if (takes_power()) return Status::failed;
  File::Change change{.offset = size, .bytes = {}, .truncates = true};
  File::apply(file.seen_, change);
  file.unsynced_.push_back(std::move(change));
  return Status::ok;
}

Disk::Status Disk::sync(File& file) {
  if (takes_power()) return Status::failed;
  ++counts_.syncs;
  if (random_.chance(faults.sync_fails) || faults.next_syncs_fail > 0) {
    faults.next_syncs_fail = std::max(0, faults.next_syncs_fail - 1);
    ++counts_.failed;
    for (const File::Change& change : file.unsynced_) {
      if (random_.chance(500)) File::apply(file.durable_, change);
    }
    file.unsynced_.clear();
    return Status::failed;
  }
  for (const File::Change& change : file.unsynced_) File::apply(file.durable_, change);
  file.unsynced_.clear();
  file.entry_durable_ = true;
  return Status::ok;
}

bool Disk::takes_power() {
  if (powerless_) return true;
  if (changes_left_ == 0) return false;
  --changes_left_;
  powerless_ = changes_left_ == 0;
  return powerless_;
}

std::uint64_t Disk::used_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, file] : files_) bytes += file->size();
  return bytes;
}

void Disk::keep_some(File& file, const File::Change& change) {
  if (change.truncates) {
    if (random_.chance(500)) File::apply(file.durable_, change);
    return;
  }
  std::size_t kept = 0;
  std::size_t at = 0;
  while (at < change.bytes.size()) {
    const std::size_t to_border = sector_bytes - (change.offset + at) % sector_bytes;
    const std::size_t length = std::min(to_border, change.bytes.size() - at);
    if (random_.chance(500)) {
      File::apply(file.durable_, {change.offset + at, change.bytes.substr(at, length)});
      kept += length;
    }
    at += length;
  }
  if (kept < change.bytes.size()) ++counts_.lost_writes;
}

/// What of the unsynced changes the disk kept.
void Disk::settle(File& file) {
  const std::size_t count = file.unsynced_.size();
  enum class Kept : std::uint8_t { nothing, everything, prefix, torn_prefix, any };
  const auto kept = static_cast<Kept>(random_.below(5));
  std::size_t whole = 0;
  if (kept == Kept::everything) whole = count;
  if (kept == Kept::prefix || kept == Kept::torn_prefix) whole = random_.below(count + 1);
  for (std::size_t i = 0; i < whole; ++i) File::apply(file.durable_, file.unsynced_[i]);
  if (kept == Kept::torn_prefix && whole < count) keep_some(file, file.unsynced_[whole]);
  if (kept == Kept::any) {
    for (const File::Change& change : file.unsynced_) keep_some(file, change);
  } else {
    counts_.lost_writes += count - whole;
  }
  file.unsynced_.clear();
  file.seen_ = file.durable_;
}

void Disk::restore_power(Loss loss) {
  changes_left_ = 0;
  powerless_ = false;
  if (loss == Loss::none) return;
  for (auto& [name, file] : removed_) {
    if (!files_.contains(name) && random_.chance(500)) files_.emplace(name, file);
  }
  removed_.clear();
  std::vector<std::string> gone;
  for (const auto& [name, file] : files_) {
    POSTRIDER_ASSERT(file.use_count() == 1, "{} is open while power is off", name);
    if (!file->entry_durable_ && random_.chance(500)) {
      gone.push_back(name);
      continue;
    }
    settle(*file);
    file->entry_durable_ = true;
  }
  for (const std::string& name : gone) files_.erase(name);
}

}  // namespace postrider::sim
