#include <set>

#include "postrider/app/database/copied_table.hpp"
#include "postrider/app/database/database_copy.hpp"
#include "postrider/store/streams.hpp"
#include "postrider/store/testing/store_test.hpp"
#include "sim/sweep/failing_connection.hpp"

namespace postrider {
namespace {

using sim::CallCounter;
using sim::FailingConnection;
using sim::Fault;

/// A copy in which one call to one of the two databases fails, and which is begun again then.
class DatabaseCopySweep : public StoreTest, public testing::WithParamInterface<Fault> {
 protected:
  void SetUp() override {
    const StreamKey events = put_stream(*connection, "events", "json", wall_time(1)).value().key;
    for (std::int64_t i = 1; i <= 5; ++i) {
      ASSERT_TRUE(insert_block(*connection, events, block_of(StreamId{i}, StreamId{i})));
    }
    for (const char* id : {"a", "b"}) {
      const InboxBlock block = inbox_block_of(StreamId{1}, StreamId{5});
      ASSERT_TRUE(insert_inbox_block(*connection, add_service(id), events, block));
    }
  }

  static Result<std::int64_t> copy(SqlConnection& from, SqlConnection& to) {
    return copy_database(from, to, [](const CopyProgress&) { return true; });
  }

  sim::Timeline timeline;
};

TEST_P(DatabaseCopySweep, goes_on_where_it_failed_and_copies_each_row_once) {
  const auto expected = copy(*connection, *TemporaryDatabase().connect_writer());
  ASSERT_TRUE(expected);
  std::int64_t call = 1;
  for (bool has_fallen = true; has_fallen; ++call) {
    TemporaryDatabase target;
    CallCounter counter(GetParam(), call);
    std::optional<Fault> ended;
    const FailingConnection::World world{timeline, counter, ended};
    FailingConnection from(database.connect_reader(), world);
    {
      FailingConnection to(target.connect_writer(), world);
      const auto copied = copy(from, to);
      has_fallen = counter.has_fallen();
      EXPECT_EQ(copied.has_value(), !has_fallen) << "call " << call;
    }
    const auto to = target.connect_writer();
    const auto again = copy(*connection, *to);
    ASSERT_TRUE(again) << "call " << call << ": " << again.error().detail;
    EXPECT_EQ(*again, *expected);
    for (const CopiedTable& table : copied_tables()) {
      EXPECT_EQ(count_rows(*to, table).value(), count_rows(*connection, table).value())
          << table.name << " after call " << call;
    }
  }
  EXPECT_GE(call, GetParam() == Fault::answer_lost ? 5 : 60);
}

INSTANTIATE_TEST_SUITE_P(Each, DatabaseCopySweep,
                         testing::Values(Fault::io_error, Fault::answer_lost),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace postrider
