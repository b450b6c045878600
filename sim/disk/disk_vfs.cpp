#include "sim/disk/disk_vfs.hpp"

#include <array>
#include <cstring>
#include <map>
#include <new>
#include <set>
#include <vector>

#include <sqlite3.h>

namespace postrider::sim {
namespace {

constexpr int path_bytes_max = 512;
constexpr int sector_bytes = 4096;

/// Who holds which lock on one database, and the memory that its connections share. None of it
/// outlives the process.
struct SharedFile {
  std::set<const void*> shared;
  const void* reserved = nullptr;
  const void* exclusive = nullptr;

  std::vector<std::unique_ptr<std::string>> regions;
  struct Slot {
    std::set<const void*> shared;
    const void* exclusive = nullptr;
  };
  std::array<Slot, SQLITE_SHM_NLOCK> slots;
  int users = 0;
};

int error_code(Disk::Status status, int failure) {
  switch (status) {
    case Disk::Status::ok:
      return SQLITE_OK;
    case Disk::Status::full:
      return SQLITE_FULL;
    case Disk::Status::failed:
      return failure;
  }
  return failure;
}

/// What stands behind a `sqlite3_vfs`.
struct FileSystem {
  std::string name;
  Disk& disk;
  Random random;
  std::map<std::string, std::shared_ptr<SharedFile>> shared = {};
  sqlite3_vfs vfs = {};
};

FileSystem& file_system(sqlite3_vfs* vfs) {
  return *static_cast<FileSystem*>(vfs->pAppData);
}

/// What stands behind an `sqlite3_file`. SQLite gives the memory.
struct OpenFile {
  sqlite3_file base;
  Disk* disk;
  std::shared_ptr<Disk::File> file;
  std::shared_ptr<SharedFile> shared;
  std::string remove_on_close;
  bool maps_memory;
};

OpenFile& open_file(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file);
}

int read_file(sqlite3_file* file, void* into, int count, sqlite3_int64 offset) {
  OpenFile& self = open_file(file);
  const auto at = static_cast<std::uint64_t>(offset);
  const std::span bytes(static_cast<char*>(into), static_cast<std::size_t>(count));
  const auto status = self.disk->read(*self.file, at, bytes);
  if (status != Disk::Status::ok) return SQLITE_IOERR_READ;
  const bool whole = at + static_cast<std::uint64_t>(count) <= self.file->size();
  return whole ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
  OpenFile& self = open_file(file);
  const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(count));
  return error_code(self.disk->write(*self.file, static_cast<std::uint64_t>(offset), bytes),
                    SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  OpenFile& self = open_file(file);
  return error_code(self.disk->truncate(*self.file, static_cast<std::uint64_t>(size)),
                    SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* file, int /*flags*/) {
  OpenFile& self = open_file(file);
  return error_code(self.disk->sync(*self.file), SQLITE_IOERR_FSYNC);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(open_file(file).file->size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file* file, int level) {
  OpenFile& self = open_file(file);
  SharedFile& locks = *self.shared;
  const auto other = [&self](const void* owner) { return owner != nullptr && owner != &self; };
  if (other(locks.exclusive)) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_SHARED) {
    locks.shared.insert(&self);
    return SQLITE_OK;
  }
  if (other(locks.reserved)) return SQLITE_BUSY;
  locks.reserved = &self;
  if (level == SQLITE_LOCK_RESERVED) return SQLITE_OK;
  const bool alone = locks.shared.size() == (locks.shared.contains(&self) ? 1U : 0U);
  if (!alone) return SQLITE_BUSY;
  locks.exclusive = &self;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* file, int level) {
  OpenFile& self = open_file(file);
  SharedFile& locks = *self.shared;
  if (locks.exclusive == &self) locks.exclusive = nullptr;
  if (locks.reserved == &self) locks.reserved = nullptr;
  if (level == SQLITE_LOCK_NONE) locks.shared.erase(&self);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* reserved) {
  *reserved = open_file(file).shared->reserved != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file* /*file*/, int /*operation*/, void* /*argument*/) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file* /*file*/) {
  return sector_bytes;
}
int device_characteristics(sqlite3_file* /*file*/) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int map_memory(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  OpenFile& self = open_file(file);
  SharedFile& shared = *self.shared;
  if (!self.maps_memory) {
    self.maps_memory = true;
    ++shared.users;
  }
  const auto index = static_cast<std::size_t>(region);
  *memory = nullptr;
  if (index >= shared.regions.size()) {
    if (extend == 0) return SQLITE_OK;
    while (shared.regions.size() <= index) {
      shared.regions.push_back(std::make_unique<std::string>(static_cast<std::size_t>(size), '\0'));
    }
  }
  *memory = shared.regions[index]->data();
  return SQLITE_OK;
}

int lock_memory(sqlite3_file* file, int offset, int count, int flags) {
  OpenFile& self = open_file(file);
  const auto first = static_cast<std::size_t>(offset);
  const std::span slots(self.shared->slots.data() + first, static_cast<std::size_t>(count));
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (auto& slot : slots) {
      slot.shared.erase(&self);
      if (slot.exclusive == &self) slot.exclusive = nullptr;
    }
    return SQLITE_OK;
  }
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (const auto& slot : slots) {
    if (slot.exclusive != nullptr && slot.exclusive != &self) return SQLITE_BUSY;
    const bool shared_by_others = slot.shared.size() > (slot.shared.contains(&self) ? 1U : 0U);
    if (exclusive && shared_by_others) return SQLITE_BUSY;
  }
  for (auto& slot : slots) {
    if (exclusive) {
      slot.exclusive = &self;
    } else {
      slot.shared.insert(&self);
    }
  }
  return SQLITE_OK;
}

void memory_barrier(sqlite3_file* /*file*/) {}

int unmap_memory(sqlite3_file* file, int /*remove*/) {
  OpenFile& self = open_file(file);
  if (!self.maps_memory) return SQLITE_OK;
  self.maps_memory = false;
  if (--self.shared->users == 0) self.shared->regions.clear();
  return SQLITE_OK;
}

int close_file(sqlite3_file* file) {
  OpenFile& self = open_file(file);
  unmap_memory(file, 0);
  unlock_file(file, SQLITE_LOCK_NONE);
  if (!self.remove_on_close.empty()) self.disk->remove(self.remove_on_close, false);
  self.~OpenFile();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods file_methods = {
    .iVersion = 2,  // with shared memory, without memory mapping of the file
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = map_memory,
    .xShmLock = lock_memory,
    .xShmBarrier = memory_barrier,
    .xShmUnmap = unmap_memory,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int full_path(sqlite3_vfs* /*vfs*/, const char* name, int bytes_max, char* path) {
  sqlite3_snprintf(bytes_max, path, "%s", name);
  return SQLITE_OK;
}

int sleep_for(sqlite3_vfs* /*vfs*/, int microseconds) {
  return microseconds;
}

int current_time(sqlite3_vfs* /*vfs*/, sqlite3_int64* julian_ms) {
  *julian_ms = 212'000'000'000'000;  // any fixed moment: nothing of ours reads it
  return SQLITE_OK;
}

int last_error(sqlite3_vfs* /*vfs*/, int /*bytes_max*/, char* /*text*/) {
  return 0;
}

int open_in(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FileSystem& self = file_system(vfs);
  file->pMethods = nullptr;
  if (name == nullptr) return SQLITE_CANTOPEN;  // temporary files stay in memory
  auto opened = self.disk.open(name, (flags & SQLITE_OPEN_CREATE) != 0);
  if (opened == nullptr) return SQLITE_CANTOPEN;
  auto& shared = self.shared[name];
  if (shared == nullptr) shared = std::make_shared<SharedFile>();
  const bool temporary = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  new (file) OpenFile{.base = {&file_methods},
                      .disk = &self.disk,
                      .file = std::move(opened),
                      .shared = shared,
                      .remove_on_close = temporary ? name : "",
                      .maps_memory = false};
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int remove_from(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  Disk& disk = file_system(vfs).disk;
  if (!disk.exists(name)) return SQLITE_IOERR_DELETE_NOENT;
  return error_code(disk.remove(name, sync_folder != 0), SQLITE_IOERR_DELETE);
}

int access_in(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* result) {
  *result = file_system(vfs).disk.exists(name) ? 1 : 0;
  return SQLITE_OK;
}

int random_bytes(sqlite3_vfs* vfs, int count, char* into) {
  Random& random = file_system(vfs).random;
  for (int i = 0; i < count; ++i) into[i] = static_cast<char>(random.below(256));
  return count;
}

}  // namespace

struct DiskVfs::State {
  FileSystem system;
};

DiskVfs::DiskVfs(std::string name, Disk& disk, Random random)
    : state_(new State{{.name = std::move(name), .disk = disk, .random = random}}) {
  FileSystem& system = state_->system;
  system.vfs = {.iVersion = 2,
                .szOsFile = sizeof(OpenFile),
                .mxPathname = path_bytes_max,
                .pNext = nullptr,
                .zName = system.name.c_str(),
                .pAppData = &system,
                .xOpen = open_in,
                .xDelete = remove_from,
                .xAccess = access_in,
                .xFullPathname = full_path,
                .xDlOpen = nullptr,
                .xDlError = nullptr,
                .xDlSym = nullptr,
                .xDlClose = nullptr,
                .xRandomness = random_bytes,
                .xSleep = sleep_for,
                .xCurrentTime = nullptr,
                .xGetLastError = last_error,
                .xCurrentTimeInt64 = current_time,
                .xSetSystemCall = nullptr,
                .xGetSystemCall = nullptr,
                .xNextSystemCall = nullptr};
  // The default one too: SQLite seeds its own generator from it.
  const int result = sqlite3_vfs_register(&system.vfs, 1);
  POSTRIDER_ASSERT(result == SQLITE_OK, "{}", sqlite3_errstr(result));
}

DiskVfs::~DiskVfs() {
  sqlite3_vfs_unregister(&state_->system.vfs);
}

const std::string& DiskVfs::name() const {
  return state_->system.name;
}

void make_sqlite_repeatable() {
  const int result = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
  POSTRIDER_ASSERT(result == SQLITE_OK, "{}", sqlite3_errstr(result));
}

void reset_sqlite_randomness() {
  sqlite3_randomness(0, nullptr);
}

}  // namespace postrider::sim
