#include "postrider/webhook/signature.hpp"

#include <gtest/gtest.h>

namespace postrider {
namespace {

constexpr std::string_view id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::string_view timestamp = "1614265330";
constexpr std::string_view body = R"({"test": 2432232314})";

WebhookSecret secret() {
  return WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
}

// The example that the libraries of Standard Webhooks test themselves with.
TEST(WebhookSecret, signs_as_the_libraries_of_standard_webhooks_do) {
  constexpr std::string_view right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  EXPECT_EQ(secret().sign(id, timestamp, body), right);
  const std::string_view text = body;
  const std::vector<std::string_view> pieces = {text.substr(0, 3), "", text.substr(3)};
  EXPECT_EQ(secret().sign(id, timestamp, pieces), right);
}

TEST(WebhookSecret, verifies_one_of_several_signatures) {
  const std::string right = secret().sign(id, timestamp, body);
  EXPECT_TRUE(secret().verify(id, timestamp, body, right));
  EXPECT_TRUE(secret().verify(id, timestamp, body, "v1a,x v1,y " + right));
  EXPECT_FALSE(secret().verify(id, timestamp, body, "v1,y"));
  EXPECT_FALSE(secret().verify(id, timestamp, body, ""));
  EXPECT_FALSE(secret().verify(id, timestamp, body, right.substr(3)));
}

TEST(WebhookSecret, signs_id_time_and_body) {
  const std::string right = secret().sign(id, timestamp, body);
  EXPECT_FALSE(secret().verify("other", timestamp, body, right));
  EXPECT_FALSE(secret().verify(id, "1614265331", body, right));
  EXPECT_FALSE(secret().verify(id, timestamp, "{}", right));
  EXPECT_FALSE(WebhookSecret::of_key(std::string(24, 'x')).verify(id, timestamp, body, right));
}

TEST(WebhookSecret, is_read_back_from_its_text) {
  for (std::size_t bytes = 24; bytes <= 64; ++bytes) {
    const WebhookSecret drawn = WebhookSecret::of_key(std::string(bytes, '\xfe'));
    const auto again = WebhookSecret::parse(drawn.text());
    ASSERT_TRUE(again) << bytes;
    EXPECT_EQ(again->sign(id, timestamp, body), drawn.sign(id, timestamp, body));
  }
}

TEST(WebhookSecret, refuses_what_is_no_secret_and_does_not_repeat_it) {
  const std::string short_key = "whsec_" + std::string(28, 'A') + "AA==";  // 22 bytes
  for (const std::string& text :
       {std::string("abc"), std::string("whsec_"), std::string("whsec_!!!!"), short_key,
        "whsec_" + std::string(88, 'A'), "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" + std::string(),
        std::string("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS")}) {
    const auto parsed = WebhookSecret::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().detail, "must be whsec_ and the base64 of 24 to 64 bytes");
  }
}

TEST(WebhookTimestamp, is_in_whole_seconds) {
  EXPECT_EQ(webhook_timestamp(wall_time(1'614'265'330'999)), "1614265330");
}

}  // namespace
}  // namespace postrider
