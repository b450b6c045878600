#include "postrider/app/config/sections.hpp"
#include "postrider/app/config/text_rules.hpp"

namespace postrider {
namespace {

// An empty text is the default, "not set", as the reference file writes it.
std::string optional_token_fault(const std::string& text) {
  return text.empty() ? "" : token_fault(text);
}

}  // namespace

void add_token_section(SettingTable& table, Settings& settings) {
  TokenSection& tokens = settings.tokens;
  table.text("tokens.admin", tokens.admin, optional_token_fault);
  table.text("tokens.admin_file", tokens.admin_file, no_fault);
  table.list("tokens.producers", tokens.producers, token_fault);
  table.text("tokens.producers_file", tokens.producers_file, no_fault);
}

}  // namespace postrider
