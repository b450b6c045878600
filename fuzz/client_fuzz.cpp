// What the command line reads from users and from a server: cut in two anywhere it says the same.
// The first line holds where.
#include <charconv>

#include "fuzz/input.hpp"

#include "postrider/app/cli/fact_page.hpp"
#include "postrider/app/cli/fact_splitter.hpp"
#include "postrider/app/cli/problem.hpp"
#include "postrider/app/cli/sse_parser.hpp"
#include "postrider/base/assert.hpp"

namespace postrider {
namespace {

std::vector<InputFact> facts_of(std::initializer_list<std::string_view> parts, bool& good) {
  FactSplitter splitter;
  std::vector<InputFact> facts;
  good = true;
  for (const std::string_view part : parts) good = good && splitter.feed(part, facts).has_value();
  good = good && splitter.finish().has_value();
  return facts;
}

std::vector<SseMessage> messages_of(std::initializer_list<std::string_view> parts) {
  SseParser parser;
  std::vector<SseMessage> all;
  for (const std::string_view part : parts) {
    for (SseMessage& message : parser.feed(part)) all.push_back(std::move(message));
  }
  return all;
}

}  // namespace
}  // namespace postrider

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace postrider;
  FuzzInput input(data, size);
  const std::string_view line = input.take_line();
  const std::string_view text = input.rest();
  std::size_t cut = 0;
  std::from_chars(line.data(), line.data() + line.size(), cut);
  cut = std::min(cut, text.size());
  bool whole_is_good = false;
  bool cut_is_good = false;
  const auto whole = facts_of({text}, whole_is_good);
  const auto parts = facts_of({text.substr(0, cut), text.substr(cut)}, cut_is_good);
  POSTRIDER_ASSERT(whole == parts && whole_is_good == cut_is_good, "facts depend on the cut");
  POSTRIDER_ASSERT(messages_of({text}) == messages_of({text.substr(0, cut), text.substr(cut)}),
                   "messages depend on the cut");
  if (const auto page = parse_fact_page(text)) {
    for (const ReadFact& fact : page->facts) {
      const auto again = parse_read_fact(fact.entry);
      POSTRIDER_ASSERT(again && *again == fact, "fact {} is another one alone", fact.id);
    }
  }
  return 0;
}
