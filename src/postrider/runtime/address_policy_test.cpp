#include "postrider/runtime/address_policy.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace postrider {
namespace {

AddressPolicy policy_with(const std::vector<std::string>& allow) {
  Result<AddressPolicy> policy = AddressPolicy::parse(allow);
  EXPECT_TRUE(policy.has_value()) << policy.error().detail;
  return policy.value_or(AddressPolicy{});
}

/// The first and last address of a refused range, and its neighbours, where those are allowed.
struct Edges {
  const char* before;  ///< null when the address in front is refused too
  const char* first;
  const char* last;
  const char* after;  ///< null when the next address is refused too
};

void expect_refused_inside_only(const Edges& edges) {
  const AddressPolicy policy;
  EXPECT_FALSE(policy.allows(edges.first)) << edges.first;
  EXPECT_FALSE(policy.allows(edges.last)) << edges.last;
  if (edges.before != nullptr) {
    EXPECT_TRUE(policy.allows(edges.before)) << edges.before;
  }
  if (edges.after != nullptr) {
    EXPECT_TRUE(policy.allows(edges.after)) << edges.after;
  }
}

TEST(AddressPolicy, refuses_every_ipv4_range_that_is_not_global_and_nothing_beside_it) {
  const std::vector<Edges> ranges = {
      {nullptr, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
      {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
      {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
      {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
      {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
      {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
      {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
      {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
      {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
      {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
      {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
      {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
      {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
      {"223.255.255.255", "224.0.0.0", "239.255.255.255", nullptr},
      {nullptr, "240.0.0.0", "255.255.255.255", nullptr},
  };
  for (const Edges& edges : ranges) expect_refused_inside_only(edges);
  EXPECT_FALSE(AddressPolicy{}.allows("169.254.169.254"));
  EXPECT_TRUE(AddressPolicy{}.allows("93.184.216.34"));
}

TEST(AddressPolicy, refuses_every_ipv6_range_that_is_not_global_and_nothing_beside_it) {
  const std::vector<Edges> ranges = {
      {nullptr, "::", "::1", nullptr},
      {nullptr, "::2", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"},
      {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
      {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
       "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
      {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
      {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
      {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "fbff:ffff::1", nullptr},
      {nullptr, "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
      {nullptr, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
      {nullptr, "fec0::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
  };
  for (const Edges& edges : ranges) expect_refused_inside_only(edges);
  EXPECT_TRUE(AddressPolicy{}.allows("2606:2800:220:1:248:1893:25c8:1946"));
}

TEST(AddressPolicy, judges_an_ipv4_address_inside_an_ipv6_one_as_the_ipv4_address) {
  const AddressPolicy policy;
  EXPECT_FALSE(policy.allows("::ffff:127.0.0.1"));
  EXPECT_FALSE(policy.allows("::ffff:169.254.169.254"));
  EXPECT_TRUE(policy.allows("::ffff:93.184.216.34"));
  EXPECT_FALSE(policy.allows("64:ff9b::10.0.0.1"));
  EXPECT_TRUE(policy.allows("64:ff9b::93.184.216.34"));
  EXPECT_FALSE(policy.allows("64:ff9b:0:0:0:1:5db8:d822"));
  EXPECT_FALSE(policy.allows("::127.0.0.1"));
  EXPECT_FALSE(policy.allows("::93.184.216.34"));
}

TEST(AddressPolicy, an_entry_allows_its_range_and_no_more) {
  const AddressPolicy policy = policy_with({"127.0.0.0/8", "::1", "10.1.2.3", "172.16.16.0/20"});
  EXPECT_TRUE(policy.allows("127.0.0.1"));
  EXPECT_TRUE(policy.allows("127.255.255.255"));
  EXPECT_TRUE(policy.allows("::ffff:127.0.0.1"));
  EXPECT_TRUE(policy.allows("64:ff9b::127.0.0.1"));
  EXPECT_TRUE(policy.allows("::1"));
  EXPECT_FALSE(policy.allows("::2"));
  EXPECT_TRUE(policy.allows("10.1.2.3"));
  EXPECT_FALSE(policy.allows("10.1.2.2"));
  EXPECT_FALSE(policy.allows("10.1.2.4"));
  EXPECT_FALSE(policy.allows("172.16.15.255"));
  EXPECT_TRUE(policy.allows("172.16.16.0"));
  EXPECT_TRUE(policy.allows("172.16.31.255"));
  EXPECT_FALSE(policy.allows("172.16.32.0"));
}

TEST(AddressPolicy, an_entry_of_one_family_says_nothing_about_the_other) {
  const AddressPolicy any_ipv6 = policy_with({"::/0"});
  EXPECT_TRUE(any_ipv6.allows("fe80::1"));
  EXPECT_FALSE(any_ipv6.allows("127.0.0.1"));
  EXPECT_FALSE(any_ipv6.allows("::ffff:127.0.0.1"));
  const AddressPolicy any_ipv4 = policy_with({"0.0.0.0/0"});
  EXPECT_TRUE(any_ipv4.allows("127.0.0.1"));
  EXPECT_FALSE(any_ipv4.allows("::1"));
}

TEST(AddressPolicy, an_entry_that_is_written_ipv4_mapped_means_the_ipv4_addresses) {
  const AddressPolicy policy = policy_with({"::ffff:10.0.0.0/104"});
  EXPECT_TRUE(policy.allows("10.255.0.1"));
  EXPECT_TRUE(policy.allows("::ffff:10.0.0.1"));
  EXPECT_FALSE(policy.allows("192.168.0.1"));
}

TEST(AddressPolicy, takes_an_address_as_it_takes_its_text) {
  const AddressPolicy policy = policy_with({"10.0.0.1", "fd00::/8"});
  for (const char* text : {"10.0.0.1", "10.0.0.2", "::ffff:10.0.0.1", "fd00::1", "fe80::1"}) {
    EXPECT_EQ(policy.allows(boost::asio::ip::make_address(text)), policy.allows(text)) << text;
  }
}

TEST(AddressPolicy, refuses_a_text_that_is_not_an_address) {
  const AddressPolicy policy = policy_with({"0.0.0.0/0", "::/0"});
  for (const char* text : {"", "example.org", "1.2.3", "1.2.3.4.5", "0x7f000001", " 1.2.3.4",
                           "fe80::1%eth0", "1.2.3.4/32"}) {
    EXPECT_FALSE(policy.allows(text)) << text;
  }
  EXPECT_FALSE(policy.allows(std::string_view{"1.2.3.4\0x", 9}));
}

TEST(AddressPolicy, names_every_wrong_entry_and_what_to_write) {
  const std::vector<std::string> allow = {"localhost", "10.0.0.0/33", "10.0.0.0/8",  "10.1.2.3/8",
                                          "::1/129",   "10.0.0.0/",   "10.0.0.0/+8", "10.0.0.0/8x"};
  const Result<AddressPolicy> policy = AddressPolicy::parse(allow);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, Code::invalid_argument);
  std::vector<std::string> pointers;
  for (const FieldError& field : policy.error().fields) pointers.push_back(field.pointer);
  EXPECT_EQ(pointers, (std::vector<std::string>{"/0", "/1", "/3", "/4", "/5", "/6", "/7"}));
  EXPECT_EQ(policy.error().fields[1].detail,
            "\"10.0.0.0/33\" needs a prefix length from 0 to 32 after the slash");
  EXPECT_EQ(policy.error().fields[2].detail,
            "\"10.1.2.3/8\" has address bits behind its prefix; the network is written 10.0.0.0/8");
}

}  // namespace
}  // namespace postrider
