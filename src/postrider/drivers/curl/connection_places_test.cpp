#include "postrider/drivers/curl/connection_places.hpp"

#include <string>

#include <gtest/gtest.h>

namespace postrider {
namespace {

class ConnectionPlacesTest : public testing::Test {
 protected:
  void add(const std::string& url) {
    Submission submission;
    submission.request.url = url;
    places.add(std::move(submission));
  }
  /// The URLs of all that have a place now.
  std::string take_all() {
    std::string urls;
    while (const auto next = places.take()) urls += next->request.url + " ";
    return urls;
  }

  ConnectionPlaces places{3, 2};
};

TEST_F(ConnectionPlacesTest, there_are_so_many_in_all_and_for_each_origin) {
  for (const char* url : {"http://a/1", "http://a/2", "http://a/3", "http://b/1", "http://b/2"}) {
    add(url);
  }
  EXPECT_EQ(take_all(), "http://a/1 http://b/1 http://a/2 ");
  EXPECT_EQ(places.waiting(), 2U);
  places.give_back("http://b/1");
  EXPECT_EQ(take_all(), "http://b/2 ");
  places.give_back("http://a/1");
  EXPECT_EQ(take_all(), "http://a/3 ");
  EXPECT_EQ(places.waiting(), 0U);
}

TEST_F(ConnectionPlacesTest, an_origin_for_which_many_wait_holds_up_no_other) {
  for (int i = 0; i < 100; ++i) add("http://a/");
  EXPECT_EQ(take_all(), "http://a/ http://a/ ");
  add("http://b/");
  EXPECT_EQ(take_all(), "http://b/ ");
}

TEST_F(ConnectionPlacesTest, there_is_room_until_the_origin_or_all_have_their_number) {
  for (const char* url : {"http://a/1", "http://a/2"}) {
    EXPECT_TRUE(places.has_room(url));
    add(url);
    take_all();
  }
  EXPECT_FALSE(places.has_room("http://a/3"));
  EXPECT_TRUE(places.has_room("http://b/1"));
  add("http://b/1");
  take_all();
  EXPECT_FALSE(places.has_room("http://c/1"));
  places.give_back("http://a/1");
  EXPECT_TRUE(places.has_room("http://a/3"));
}

TEST_F(ConnectionPlacesTest, another_port_or_scheme_is_another_origin_and_a_path_is_not) {
  for (const char* url : {"http://a:1/x", "http://a:1?x", "http://a:1#x"}) add(url);
  EXPECT_EQ(take_all(), "http://a:1/x http://a:1?x ");
  add("http://a:2/x");
  EXPECT_EQ(take_all(), "http://a:2/x ");
  places.give_back("http://a:2/x");
  add("https://a:1/x");
  EXPECT_EQ(take_all(), "https://a:1/x ");
}

TEST_F(ConnectionPlacesTest, what_waits_can_be_dropped_while_others_keep_their_place) {
  for (int i = 0; i < 5; ++i) add("http://a/");
  EXPECT_EQ(take_all(), "http://a/ http://a/ ");
  EXPECT_EQ(places.drop_waiting().size(), 3U);
  EXPECT_EQ(places.waiting(), 0U);
  places.give_back("http://a/");
  EXPECT_EQ(take_all(), "");
  add("http://a/");
  EXPECT_EQ(take_all(), "http://a/ ");
}

}  // namespace
}  // namespace postrider
