#include <string_view>

#include <unistd.h>

#include "postrider/app/cli/run_cli.hpp"
#include "postrider/app/serve/serve.hpp"

int main(int argc, char** argv) {
  postrider::Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return postrider::run_cli(argc, argv, environment, postrider::serve);
}
