#pragma once

#include <string>
#include <vector>

#include "postrider/stream/quarantine.hpp"
#include "postrider/stream/streams.hpp"

namespace postrider {

/// Facts in quarantine, as an operator sees them.
struct QuarantineEntry {
  std::string stream;
  IdRange ids;
  std::string cause;
  WallTime found_at{};
};

/// What an operator may do with facts in quarantine, on any process. Engine thread.
class QuarantineDesk {
 public:
  static constexpr std::int64_t entries_max = 1000;  ///< that `list` gives

  /// References must outlive it.
  QuarantineDesk(Commits& commits, Reader reader, const Streams& streams)
      : commits_(commits), reader_(reader), streams_(streams) {}

  struct List {
    std::vector<QuarantineEntry> entries;  ///< in order of stream and fact
    bool has_more = false;                 ///< that were left out
  };
  Async<Result<List>> list();
  /// Appends the facts once more, at the end of their stream, and takes them out: those after them
  /// have been delivered, and order does not allow for them between. Errors: `not_found`;
  /// `conflict` when they still cannot be read; those of an append.
  Async<Result<AppendReceipt>> retry(std::string stream, StreamId first);
  /// Takes them out. Nobody will get them. Errors: `not_found`, those of a commit.
  Async<Result<void>> drop(std::string stream, StreamId first);

 private:
  Async<Result<std::string>> read_facts(Stream* stream, IdRange ids);

  Commits& commits_;
  Reader reader_;
  const Streams& streams_;
};

}  // namespace postrider
