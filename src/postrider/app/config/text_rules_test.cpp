#include "postrider/app/config/text_rules.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(DatabaseRule, takes_sqlite_with_a_path) {
  EXPECT_EQ(database_fault("sqlite:./postrider.db"), "");
  EXPECT_NE(database_fault("sqlite:"), "");
  EXPECT_NE(database_fault("./postrider.db"), "");
}

TEST(DatabaseRule, takes_urls_of_postgresql_and_keeps_their_passwords) {
  EXPECT_EQ(database_fault("postgresql://user:secret@host/db"), "");
  EXPECT_EQ(database_fault("postgres://host"), "");
  EXPECT_EQ(database_fault("postgresql:user:secret@host").find("secret"), std::string::npos);
}

TEST(DatabaseRule, takes_ports_from_1_to_65535_of_each_host) {
  for (const std::string hosts :
       {"host:1", "host:65535", "host:", "u:99999@host", "[::1]", "[fe80::1]:5432", "a:1,b:2",
        "host/db?application_name=a:0", "host/db?port=1", "a,b/db?x=y&port=5432,65535",
        "/db?port=", "h?port=%35432", "h/db?support=0", "", "app:S3cr?et@db:5432/x", "u:a:b@h"}) {
    EXPECT_EQ(database_fault("postgresql://" + hosts), "") << hosts;
  }
  for (const std::string hosts :
       {"host:0", "host:65536", "host:99999/db", "u:p@host:x", "[::1]:-1", "a:1,b:70000?x=y",
        "host/db?port=0", "host?port=65536", "/db?x=y&port=5432,x&z=1"}) {
    EXPECT_NE(database_fault("postgresql://" + hosts), "") << hosts;
  }
  for (const std::string url : {"u:secret@h:99999", "user:secret", "u:secret/x@h/db"}) {
    const std::string fault = database_fault("postgres://" + url);
    EXPECT_NE(fault.find("a number from 1 to 65535"), std::string::npos) << fault;
    EXPECT_EQ(fault.find("secret"), std::string::npos) << fault;
  }
  EXPECT_NE(outbox_fault("postgresql://h:99999"), "");
  EXPECT_NE(outbox_fault("postgresql://h/db?port=99999"), "");
}

TEST(SchemaRule, takes_1_to_63_lower_case_characters) {
  EXPECT_EQ(schema_fault("a"), "");
  EXPECT_EQ(schema_fault("_" + std::string(62, '9')), "");
  EXPECT_NE(schema_fault(""), "");
  EXPECT_NE(schema_fault(std::string(64, 'a')), "");
  EXPECT_NE(schema_fault("9a"), "");
  EXPECT_NE(schema_fault("A"), "");
  EXPECT_NE(schema_fault("a\"b"), "");
}

TEST(InstanceNameRule, takes_1_to_63_lower_case_characters) {
  EXPECT_EQ(instance_name_fault("a"), "");
  EXPECT_EQ(instance_name_fault("9-worker_1.eu" + std::string(50, 'a')), "");
  EXPECT_NE(instance_name_fault(""), "");
  EXPECT_NE(instance_name_fault(std::string(64, 'a')), "");
  EXPECT_NE(instance_name_fault("A"), "");
  EXPECT_NE(instance_name_fault("a b"), "");
  EXPECT_NE(instance_name_fault("a~"), "");
}

TEST(TokenRule, takes_8_to_512_printable_characters) {
  EXPECT_EQ(token_fault("12345678"), "");
  EXPECT_EQ(token_fault(std::string(512, '~')), "");
  EXPECT_NE(token_fault("1234567"), "");
  EXPECT_NE(token_fault(std::string(513, 'a')), "");
  EXPECT_NE(token_fault("1234 5678"), "");
  EXPECT_NE(token_fault("1234567\xc3\xa4"), "");
}

TEST(TokenRule, never_repeats_the_token) {
  EXPECT_EQ(token_fault("hush hush").find("hush"), std::string::npos);
}

TEST(StreamNameRule, takes_1_to_63_lower_case_characters) {
  EXPECT_EQ(stream_name_fault("events"), "");
  EXPECT_EQ(stream_name_fault("0.a_b-c"), "");
  EXPECT_EQ(stream_name_fault(std::string(63, 'a')), "");
  for (const std::string& name : {std::string(), std::string(64, 'a'), std::string("Events"),
                                  std::string("-a"), std::string("a/b"), std::string("_a")}) {
    EXPECT_NE(stream_name_fault(name), "") << name;
  }
}

TEST(ListenRule, takes_addresses_with_a_port) {
  for (const char* text : {"127.0.0.1:8480", "0.0.0.0:0", "[::1]:65535", "localhost:80"}) {
    EXPECT_EQ(listen_fault(text), "") << text;
  }
  for (const char* text : {"", "8480", ":8480", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:-1", "::1:80", "example.org:80", "[127.0.0.1]:80"}) {
    EXPECT_NE(listen_fault(text), "") << text;
  }
}

TEST(AddressRangeRule, takes_networks_and_addresses) {
  EXPECT_EQ(address_range_fault("127.0.0.0/8"), "");
  EXPECT_EQ(address_range_fault("fd00::/8"), "");
  EXPECT_NE(address_range_fault("127.0.0.0/33"), "");
  EXPECT_NE(address_range_fault("localhost"), "");
}

TEST(ServerNameRule, takes_host_names_and_nothing) {
  EXPECT_EQ(server_name_fault(""), "");
  EXPECT_EQ(server_name_fault("matrix.example.org:8448"), "");
  EXPECT_NE(server_name_fault("https://example.org/"), "");
}

TEST(TextRules, an_outbox_is_in_postgresql_or_there_is_none_and_its_url_is_not_repeated) {
  EXPECT_EQ(outbox_fault(""), "");
  EXPECT_EQ(outbox_fault("postgresql://app:secret@localhost/shop"), "");
  EXPECT_EQ(outbox_fault("postgres://localhost/shop"), "");
  for (const char* url : {"sqlite:./shop.db", "mysql://app:secret@localhost/shop", "localhost"}) {
    EXPECT_NE(outbox_fault(url), "") << url;
    EXPECT_EQ(outbox_fault(url).find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace postrider
