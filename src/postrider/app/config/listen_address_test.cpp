#include "postrider/app/config/listen_address.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(ListenAddress, reads_address_and_port) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:8480"), (ListenAddress{"127.0.0.1", 8480}));
  EXPECT_EQ(parse_listen_address("[::1]:0"), (ListenAddress{"::1", 0}));
  EXPECT_EQ(parse_listen_address("localhost:1"), (ListenAddress{"127.0.0.1", 1}));
}

TEST(ListenAddress, gives_the_url_for_this_machine) {
  EXPECT_EQ((ListenAddress{"127.0.0.1", 8480}).local_url(), "http://127.0.0.1:8480");
  EXPECT_EQ((ListenAddress{"0.0.0.0", 80}).local_url(), "http://127.0.0.1:80");
  EXPECT_EQ((ListenAddress{"::", 80}).local_url(), "http://[::1]:80");
  EXPECT_EQ((ListenAddress{"::1", 80}).local_url(), "http://[::1]:80");
}

}  // namespace
}  // namespace postrider
