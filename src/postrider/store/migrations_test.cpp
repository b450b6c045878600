#include "postrider/store/migrations.hpp"

#include "postrider/store/testing/old_schema.hpp"
#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

constexpr Statement read_versions_sql{"SELECT version FROM schema_version ORDER BY version"};

class Migrations : public StoreTest {
 protected:
  std::vector<std::int64_t> versions() {
    std::vector<std::int64_t> found;
    EXPECT_TRUE(connection->execute(read_versions_sql, {},
                                    [&](const SqlRow& row) { found.push_back(row.integer(0)); }));
    return found;
  }
};

TEST_F(Migrations, each_step_is_recorded_and_none_runs_twice) {
  const auto after_open = versions();
  EXPECT_EQ(after_open.size(), static_cast<std::size_t>(schema_version()));
  EXPECT_EQ(after_open.back(), schema_version());
  add_service("a");
  ASSERT_TRUE(migrate(*connection, database.dialect()));
  EXPECT_EQ(versions(), after_open);
  EXPECT_EQ(read_services(*connection).value().size(), 1U);
}

TEST_F(Migrations, a_database_of_a_newer_version_is_refused_and_not_changed) {
  const std::int64_t newer = schema_version() + 1;
  constexpr Statement write_sql{"INSERT INTO schema_version (version) VALUES ($1)"};
  ASSERT_TRUE(connection->execute(write_sql, {newer}));
  const auto before = versions();
  const auto refused = migrate(*connection, database.dialect());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::storage_incompatible);
  EXPECT_NE(refused.error().detail.find(fmt::format("version {}", newer)), std::string::npos);
  EXPECT_EQ(versions(), before);
}

TEST_F(Migrations, a_step_that_fails_leaves_nothing_and_can_be_run_again) {
  for (const std::string_view table : table_names) {
    if (table != "members") drop_table(*connection, table);
  }
  ASSERT_FALSE(
      migrate(*connection, database.dialect()));  // "members" is in the way of the whole step
  EXPECT_EQ(versions(), std::vector<std::int64_t>{});
  ASSERT_TRUE(connection->execute_once("DROP TABLE members"));
  ASSERT_TRUE(migrate(*connection, database.dialect()));
  add_service("a");
}

TEST_F(Migrations, every_older_version_is_brought_to_this_one) {
  for (std::int64_t version = 0; version < schema_version(); ++version) {
    make_old_schema(*connection, database.dialect(), version);
    const auto migrated = migrate(*connection, database.dialect());
    ASSERT_TRUE(migrated) << "from " << version << ": " << migrated.error().detail;
    EXPECT_EQ(versions().size(), static_cast<std::size_t>(schema_version()));
    add_service("a");
    EXPECT_EQ(read_services(*connection).value().size(), 1U);
  }
}

}  // namespace
}  // namespace postrider
