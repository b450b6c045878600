#include "postrider/drivers/postgres/instance_lock.hpp"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "postrider/drivers/postgres/postgres_database.hpp"
#include "postrider/drivers/postgres/testing/cutting_proxy.hpp"
#include "postrider/drivers/postgres/testing/postgres_server.hpp"

namespace postrider {
namespace {

/// A process, the connections of which the network may lose.
class InstanceLockTest : public testing::Test {
 protected:
  InstanceLockTest() { EXPECT_TRUE(admin->execute_once("DELETE FROM leases")); }

  static Result<void> use_schema(PostgresConnection& connection) {
    return connection.execute_once("SET search_path = instance_lock");
  }
  [[nodiscard]] Result<std::unique_ptr<SqlConnection>> connect(
      const std::string& through, Duration silence_max = std::chrono::hours{1}) const {
    TRY(const auto opened, PostgresDatabase::open({.url = through,
                                                   .schema = "instance_lock",
                                                   .instance_name = "under_test",
                                                   .silence_max = silence_max}));
    return opened->connect(Database::Access::read_write);
  }
  static Result<void> add_lease(SqlConnection& connection, std::string_view name) {
    return transact(connection, [&]() -> Result<void> {
      constexpr Statement insert{"INSERT INTO leases (name, session_key) VALUES ($1, 1)"};
      return connection.enqueue(insert, {name});
    });
  }
  [[nodiscard]] std::int64_t number(const Statement& statement) const {
    std::int64_t found = -1;
    EXPECT_TRUE(
        admin->execute(statement, {}, [&found](const SqlRow& row) { found = row.integer(0); }));
    return found;
  }
  /// At the second attempt: the first one finds out that the connection is lost.
  static void expect_works_on(SqlConnection& connection) {
    if (!add_lease(connection, "works on")) {
      const auto again = add_lease(connection, "works on");
      EXPECT_TRUE(again) << again.error().detail;
    }
  }

  static constexpr Statement leases_sql{"SELECT count(*) FROM leases"};
  static constexpr Statement writers_sql{
      "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^postrider [0-9a-f]{32}$'"};

  const std::string& url = PostgresServer::shared().url();
  const std::size_t port_begin = url.rfind(':') + 1;
  const std::size_t port_size = url.rfind('/') - port_begin;
  CuttingProxy proxy{url.substr(port_begin, port_size)};
  const std::string url_through_proxy =
      std::string(url).replace(port_begin, port_size, proxy.port());
  const std::unique_ptr<Database> database =
      PostgresDatabase::open({.url = url, .schema = "instance_lock"}).value();
  const std::unique_ptr<SqlConnection> admin = PostgresConnection::open(url, use_schema).value();
};

TEST_F(InstanceLockTest, a_process_ends_its_own_connection_that_only_the_server_still_has) {
  const auto writer = connect(url_through_proxy).value();
  proxy.lose_clients();
  expect_works_on(*writer);
  EXPECT_EQ(number(leases_sql), 1);
  // It gives its lock back a moment before it is gone.
  while (number(writers_sql) != 1) std::this_thread::sleep_for(std::chrono::milliseconds{10});
}

TEST_F(InstanceLockTest, a_commit_in_doubt_is_known_once_the_process_has_connected_again) {
  const auto writer = connect(url_through_proxy).value();
  int committed = 0;
  for (const auto cut : {CuttingProxy::Cut::before_commit, CuttingProxy::Cut::after_commit}) {
    proxy.cut_next(cut, CuttingProxy::Side::client);
    ASSERT_FALSE(add_lease(*writer, "in doubt"));
    EXPECT_TRUE(writer->is_in_doubt());
    std::int64_t leases = -1;
    EXPECT_TRUE(
        writer->execute(leases_sql, {}, [&leases](const SqlRow& row) { leases = row.integer(0); }));
    EXPECT_EQ(leases, committed++);
  }
}

TEST_F(InstanceLockTest, a_process_that_lives_is_not_replaced) {
  const auto writer = connect(url).value();
  constexpr Statement backend_sql{"SELECT pg_backend_pid()"};
  std::int64_t backend = 0;
  const auto keep = [&backend](const SqlRow& row) { backend = row.integer(0); };
  ASSERT_TRUE(writer->execute(backend_sql, {}, keep));
  const std::int64_t before = backend;
  auto second = std::async(std::launch::async, [this] { return connect(url); });
  while (second.wait_for(std::chrono::milliseconds{20}) == std::future_status::timeout) {
    ASSERT_TRUE(writer->execute(leases_sql));
  }
  const auto refused = second.get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::storage_locked);
  expect_works_on(*writer);
  ASSERT_TRUE(writer->execute(backend_sql, {}, keep));
  EXPECT_EQ(backend, before);
}

TEST_F(InstanceLockTest, a_process_that_is_dead_is_replaced_after_its_silence) {
  const auto dead = connect(url_through_proxy).value();
  proxy.lose_clients();
  const auto successor = connect(url, std::chrono::milliseconds{300});
  ASSERT_TRUE(successor) << successor.error().detail;
  expect_works_on(**successor);
  EXPECT_FALSE(add_lease(*dead, "late"));
  auto late = std::async(std::launch::async, [&dead] { return add_lease(*dead, "late"); });
  while (late.wait_for(std::chrono::milliseconds{20}) == std::future_status::timeout) {
    ASSERT_TRUE((*successor)->execute(leases_sql));
  }
  EXPECT_EQ(late.get().error().code, Code::storage_unavailable) << "the name is another one's";
  EXPECT_EQ(number(leases_sql), 1);
}

TEST_F(InstanceLockTest, the_server_is_told_to_notice_soon_that_a_client_is_gone) {
  const auto writer = connect(url).value();
  constexpr Statement settings{
      "SELECT current_setting('tcp_user_timeout') || ' ' || current_setting('tcp_keepalives_idle')"
      " || ' ' || current_setting('tcp_keepalives_interval')"
      " || ' ' || current_setting('tcp_keepalives_count')"};
  std::string found;
  ASSERT_TRUE(writer->execute(settings, {}, [&found](const SqlRow& row) { found = row.text(0); }));
  EXPECT_EQ(found, "10000 4 2 3");
}

}  // namespace
}  // namespace postrider
