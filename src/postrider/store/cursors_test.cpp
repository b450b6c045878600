#include "postrider/store/cursors.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class StoredCursors : public StoreTest {
 protected:
  static constexpr StreamKey other_stream{2};
  static constexpr DeliveryCursor idle{.acknowledged = StreamId{7},
                                       .transaction = TransactionNumber{3},
                                       .frozen_through = std::nullopt,
                                       .delivered = 5};
  static constexpr DeliveryCursor sending{.acknowledged = StreamId{8},
                                          .transaction = TransactionNumber{4},
                                          .frozen_through = StreamId{5'000'000'000},
                                          .delivered = 6'000'000'000};

  void put(ServiceKey service, StreamKey of, const DeliveryCursor& cursor) {
    ASSERT_TRUE(put_cursor(*connection, service, of, cursor));
  }
  std::optional<StreamId> acknowledged(ServiceKey service, StreamKey of) {
    const auto all = read_acknowledged(*connection, of, {service, service}).value();
    return all.empty() ? std::nullopt : std::optional(all.at(service));
  }

  ServiceKey a = add_service("a");
  ServiceKey b = add_service("b");
};

TEST_F(StoredCursors, cursors_read_back_as_they_were_written_in_order_of_stream_and_service) {
  put(b, stream, idle);
  put(a, other_stream, sending);
  put(a, stream, idle);
  const auto cursors = read_cursors(*connection).value();
  ASSERT_EQ(cursors.size(), 3U);
  EXPECT_EQ(cursors[0].service, a);
  EXPECT_EQ(cursors[0].stream, stream);
  EXPECT_EQ(cursors[0].cursor, idle);
  EXPECT_EQ(cursors[1].service, b);
  EXPECT_EQ(cursors[1].stream, stream);
  EXPECT_EQ(cursors[2].service, a);
  EXPECT_EQ(cursors[2].stream, other_stream);
  EXPECT_EQ(cursors[2].cursor, sending);
}

TEST_F(StoredCursors, a_cursor_takes_the_place_of_the_one_before) {
  put(a, stream, idle);
  put(a, stream, sending);
  auto cursors = read_cursors(*connection).value();
  ASSERT_EQ(cursors.size(), 1U);
  EXPECT_EQ(cursors[0].cursor, sending);
  put(a, stream, idle);
  cursors = read_cursors(*connection).value();
  ASSERT_EQ(cursors.size(), 1U);
  EXPECT_EQ(cursors[0].cursor, idle);
}

TEST_F(StoredCursors, what_is_acknowledged_is_empty_before_the_first_cursor_of_service_and_stream) {
  put(a, stream, idle);
  EXPECT_EQ(acknowledged(a, stream), StreamId{7});
  EXPECT_EQ(acknowledged(a, other_stream), std::nullopt);
  EXPECT_EQ(acknowledged(b, stream), std::nullopt);
  put(b, stream, DeliveryCursor{});
  EXPECT_EQ(acknowledged(b, stream), StreamId{0});
}

TEST_F(StoredCursors, what_is_acknowledged_is_of_the_services_from_the_first_to_the_last) {
  const ServiceKey c = add_service("c");
  const ServiceKey d = add_service("d");
  for (const ServiceKey service : {a, b, d}) put(service, stream, idle);
  put(c, other_stream, sending);
  const auto all = read_acknowledged(*connection, stream, {b, d}).value();
  EXPECT_EQ(all, (std::map<ServiceKey, StreamId>{{b, StreamId{7}}, {d, StreamId{7}}}));
}

TEST_F(StoredCursors, a_cursor_of_a_deleted_service_is_not_stored) {
  put(a, stream, idle);
  put(b, stream, idle);
  ASSERT_TRUE(delete_service(*connection, a));
  put(a, stream, sending);
  const auto cursors = read_cursors(*connection).value();
  ASSERT_EQ(cursors.size(), 1U);
  EXPECT_EQ(cursors[0].service, b);
}

}  // namespace
}  // namespace postrider
