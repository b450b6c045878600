#include "postrider/store/cursors.hpp"

#include "postrider/store/testing/store_test.hpp"

namespace postrider {
namespace {

class StoredCursors : public StoreTest {
 protected:
  static constexpr StreamKey other_stream{2};
  static inline const DeliveryCursor idle{.acknowledged = StreamId{7},
                                          .transaction = TransactionNumber{3},
                                          .frozen = {},
                                          .delivered = 5};
  static inline const DeliveryCursor sending{.acknowledged = StreamId{8},
                                             .transaction = TransactionNumber{4},
                                             .frozen = {StreamId{5'000'000'000}},
                                             .delivered = 6'000'000'000};

  static inline const DeliveryCursor far_ahead{
      .acknowledged = StreamId{8},
      .transaction = TransactionNumber{9},
      .frozen = {StreamId{9}, StreamId{10}, StreamId{200}, StreamId{5'000'000'000}},
      .delivered = 7};

  void put(ServiceKey service, StreamKey of, const DeliveryCursor& cursor) {
    ASSERT_TRUE(put_cursor(*connection, service, of, cursor));
  }
  Result<std::int64_t> set_exceptions(std::string_view bytes) {
    static constexpr Statement set_sql{"UPDATE delivery_cursors SET exceptions = $1"};
    return connection->execute(set_sql, {Blob{bytes}});
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

TEST_F(StoredCursors, each_end_of_what_is_frozen_is_kept_until_there_is_one) {
  put(a, stream, far_ahead);
  EXPECT_EQ(read_cursors(*connection).value().at(0).cursor, far_ahead);
  EXPECT_EQ(far_ahead.first_frozen(), TransactionNumber{6});
  put(a, stream, sending);
  EXPECT_EQ(read_cursors(*connection).value().at(0).cursor, sending);
  EXPECT_EQ(sending.first_frozen(), sending.transaction);
}

TEST_F(StoredCursors, a_damaged_cursor_is_an_error_that_names_it) {
  put(a, stream, far_ahead);
  const std::string good = "\x01\x01\x05";
  ASSERT_TRUE(set_exceptions(good));
  EXPECT_EQ(read_cursors(*connection).value().at(0).cursor.frozen,
            (std::vector{StreamId{9}, StreamId{14}}));
  using namespace std::string_literals;
  const std::string too_far = "\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
  for (const std::string& bad : {""s, "\x02\x01\x05"s, "\x01"s, "\x01\x02\x05"s, "\x01\x01\x00"s,
                                 "\x01\x01\x05\x05"s, "\x01\x01\x85\x00"s, too_far}) {
    ASSERT_TRUE(set_exceptions(bad));
    const auto read = read_cursors(*connection);
    ASSERT_FALSE(read) << bad.size();
    EXPECT_EQ(read.error().code, Code::storage_failed);
    EXPECT_EQ(read.error().detail,
              fmt::format("the cursor of service {} in stream {} is damaged", a, stream));
  }
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
