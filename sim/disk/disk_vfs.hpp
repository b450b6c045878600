#pragma once

#include <memory>
#include <string>

#include "sim/disk/disk.hpp"

namespace postrider::sim {

/// Makes a disk a file system of SQLite's, under a name of its own, with the locks and the shared
/// memory that write-ahead logging needs. Behaves as SQLite's own on Linux does: sectors of 4096
/// bytes, powersafe overwrite. One thread.
/// Source: https://www.sqlite.org/vfs.html, https://www.sqlite.org/walformat.html
class DiskVfs {
 public:
  DiskVfs(std::string name, Disk& disk, Random random);
  DiskVfs(const DiskVfs&) = delete;
  DiskVfs& operator=(const DiskVfs&) = delete;
  ~DiskVfs();

  [[nodiscard]] const std::string& name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Switches off what makes SQLite's behaviour differ between two histories of one process. Before
/// SQLite is used at all.
void make_sqlite_repeatable();
/// At the start of each history.
void reset_sqlite_randomness();

}  // namespace postrider::sim
