#pragma once

#include <string>

#include "postrider/base/testing/temporary_folder.hpp"

namespace postrider {

/// A real server of its own on a loopback port, stopped at its end.
class PostgresServer {
 public:
  PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  [[nodiscard]] const std::string& url() const { return url_; }
  /// As `kill -9` of every process of the server.
  void kill();
  void restart();

  /// One that all tests of a program share.
  static PostgresServer& shared();

 private:
  std::string run(const std::string& command) const;

  TemporaryFolder folder_;
  std::string url_;
};

}  // namespace postrider
