#include "postrider/drivers/postgres/testing/postgres_server.hpp"

#include <cstdio>

#include "postrider/base/assert.hpp"

namespace postrider {

std::string PostgresServer::run(const std::string& command) const {
  const std::string line =
      fmt::format("{}/tests/servers/postgres {} {} {}", POSTRIDER_SOURCE_FOLDER, command,
                  folder_.file("server"), ::getpid());
  std::FILE* const output = ::popen(line.c_str(), "r");
  POSTRIDER_ASSERT(output != nullptr, "cannot run {}", line);
  std::string text;
  for (int c = std::fgetc(output); c != EOF; c = std::fgetc(output)) text += static_cast<char>(c);
  POSTRIDER_ASSERT(::pclose(output) == 0, "{} failed", line);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

PostgresServer::PostgresServer() {
  url_ = run("start");
}

PostgresServer::~PostgresServer() {
  run("stop");
}

void PostgresServer::kill() {
  run("kill");
}

void PostgresServer::restart() {
  run("restart");
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

}  // namespace postrider
