// What a peer says on the replication bus. What is read is written as it was; blocks that it
// carries unpack or are refused.
#include "fuzz/input.hpp"

#include "postrider/base/assert.hpp"
#include "postrider/replication/block_row.hpp"
#include "postrider/replication/command.hpp"
#include "postrider/stream/block.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  const FuzzInput input(data, size);
  const auto command = parse_command(input.rest());
  if (!command) return 0;
  const auto again = parse_command(format_command(*command));
  POSTRIDER_ASSERT(again && *again == *command, "another command: {}", format_command(*command));
  const auto* const rdata = std::get_if<RdataCommand>(&*command);
  if (rdata == nullptr) return 0;
  const auto row = parse_block_row(rdata->row);
  if (!row) return 0;
  POSTRIDER_ASSERT(parse_block_row(format_block_row(*row))->block.data == row->block.data,
                   "another block");
  if (row->block.first.value < 1) return 0;
  if (const auto chunks = unpack_block(row->block)) {
    POSTRIDER_ASSERT(chunks->back().last() <= row->block.last, "facts beyond the block");
  }
  return 0;
}
