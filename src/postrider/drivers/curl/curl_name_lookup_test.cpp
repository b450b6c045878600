// Names are looked up by the system, on threads of libcurl. Here a test decides how long that
// takes: the function of the C library is replaced in the tests' program.
#include <condition_variable>
#include <mutex>
#include <string_view>

#include <dlfcn.h>
#include <netdb.h>

#include "postrider/drivers/curl/curl_client_test.hpp"

namespace postrider {
namespace {

constexpr std::string_view slow_name = "slow.test";
constexpr std::string_view no_name = "none.test";

/// Look-ups of the slow name wait for its end, and find nothing then.
class SlowLookups {
 public:
  SlowLookups() { current() = this; }
  SlowLookups(const SlowLookups&) = delete;
  SlowLookups& operator=(const SlowLookups&) = delete;
  ~SlowLookups() {
    std::unique_lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return waiting_ == 0; });
    current() = nullptr;
  }

  static SlowLookups*& current() {
    static SlowLookups* lookups = nullptr;
    return lookups;
  }
  void wait_for_end() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return ended_; });
    --waiting_;
    changed_.notify_all();
  }
  bool wait_for_lookups(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool ended_ = false;
};

class CurlNameLookupTest : public CurlClientTest {
 protected:
  static std::string slow_origin() { return fmt::format("http://{}:1", slow_name); }

  // Before the client, which leaves look-ups behind.
  SlowLookups lookups_;
};

TEST_F(CurlNameLookupTest, one_that_takes_long_holds_up_no_other_receiver) {
  RawReceiver receiver(RawAnswer{ok_answer});
  start(loopback_allowed());
  for (int i = 0; i < 5; ++i) begin(request_to(slow_origin()));
  engine_.poll();
  ASSERT_TRUE(lookups_.wait_for_lookups(5));
  begin(request_to(receiver.origin("localhost")));
  while (outcomes_.empty()) engine_.run_one();
  ASSERT_TRUE(outcomes_.front()) << outcomes_.front().error().detail;
  EXPECT_EQ(outcomes_.front()->status, 200);
  client_->stop();
  run_to_the_end();
}

TEST_F(CurlNameLookupTest, one_that_was_given_up_holds_up_no_other_receiver) {
  RawReceiver receiver(RawAnswer{ok_answer});
  start(loopback_allowed());
  begin(request_to(slow_origin(), std::chrono::milliseconds{100}));
  engine_.poll();
  ASSERT_TRUE(lookups_.wait_for_lookups(1));
  run_to_the_end();
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_.front().error().code, Code::deadline);
  EXPECT_TRUE(exchange(request_to(receiver.origin("localhost"))));
}

TEST_F(CurlNameLookupTest, one_that_fails_is_said_to) {
  start(loopback_allowed());
  expect_error(request_to("http://none.test"), Code::connection_failed,
               "could not resolve host none.test");
}

}  // namespace
}  // namespace postrider

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Lookup = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto system = reinterpret_cast<Lookup>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node != nullptr && node == postrider::slow_name) {
    postrider::SlowLookups::current()->wait_for_end();
    return EAI_NONAME;
  }
  if (node != nullptr && node == postrider::no_name) return EAI_NONAME;
  return system(node, service, hints, found);
}
