#include "postrider/runtime/event.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "postrider/runtime/async_mutex.hpp"
#include "postrider/runtime/gate.hpp"
#include "postrider/runtime/reply.hpp"
#include "sim/world/run.hpp"

namespace postrider {
namespace {

using std::chrono::seconds;

class Coroutines : public testing::Test {
 protected:
  void settle() { runtime.run_for(Duration{}); }

  sim::VirtualRuntime runtime;
  Gate gate{runtime};
  Event event{runtime};
  std::vector<std::string> log;
};

Async<void> wait_and_log(Event& event, std::vector<std::string>& log, std::string name) {
  co_await event.wait();
  log.push_back(name);
}

Async<void> wait_until_and_log(Event& event, std::vector<std::string>& log, MonoTime deadline) {
  const Wake wake = co_await event.wait_until(deadline);
  log.emplace_back(wake == Wake::notified ? "notified" : "timed out");
}

TEST_F(Coroutines, notify_all_wakes_those_who_wait_and_nobody_later) {
  gate.spawn(wait_and_log(event, log, "a"), "a");
  gate.spawn(wait_and_log(event, log, "b"), "b");
  settle();
  event.notify_all();
  gate.spawn(wait_and_log(event, log, "c"), "c");
  settle();
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b"}));
  event.notify_all();
  sim::run(runtime, gate.drained());
}

TEST_F(Coroutines, notify_one_wakes_who_waited_longest_and_says_when_nobody_does) {
  gate.spawn(wait_and_log(event, log, "a"), "a");
  gate.spawn(wait_and_log(event, log, "b"), "b");
  settle();
  EXPECT_TRUE(event.notify_one());
  settle();
  EXPECT_EQ(log, (std::vector<std::string>{"a"}));
  EXPECT_TRUE(event.notify_one());
  EXPECT_FALSE(event.notify_one());
  sim::run(runtime, gate.drained());
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b"}));
}

TEST_F(Coroutines, a_wait_ends_at_its_deadline_or_with_the_notice_whichever_is_first) {
  gate.spawn(wait_until_and_log(event, log, runtime.now() + seconds{5}), "first");
  sim::run(runtime, gate.drained());
  EXPECT_EQ(log, (std::vector<std::string>{"timed out"}));
  EXPECT_EQ(runtime.now(), MonoTime{} + seconds{5});

  gate.spawn(wait_until_and_log(event, log, runtime.now() + seconds{5}), "second");
  settle();
  event.notify_all();
  sim::run(runtime, gate.drained());
  EXPECT_EQ(log.back(), "notified");
  EXPECT_EQ(runtime.now(), MonoTime{} + seconds{5});
}

Async<void> lock_and_log(AsyncMutex& mutex, Event& go_on, std::vector<std::string>& log,
                         std::string name) {
  co_await mutex.lock();
  log.push_back(name);
  co_await go_on.wait();
  mutex.unlock();
}

TEST_F(Coroutines, a_mutex_lets_one_through_at_a_time_in_the_order_they_came) {
  AsyncMutex mutex{runtime};
  for (const char* name : {"a", "b", "c"}) {
    gate.spawn(lock_and_log(mutex, event, log, name), name);
  }
  settle();
  EXPECT_EQ(log, (std::vector<std::string>{"a"}));
  event.notify_all();
  // Comes while the mutex is being handed to b, and still goes behind c.
  gate.spawn(lock_and_log(mutex, event, log, "d"), "d");
  settle();
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b"}));
  while (gate.running() > 0) {
    event.notify_all();
    settle();
  }
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b", "c", "d"}));
}

Async<int> await_number(Runtime& runtime, std::function<void(Reply<int>)> start) {
  co_return co_await await_reply<int>(runtime.executor(), start);
}

TEST_F(Coroutines, a_reply_may_come_at_once_or_later) {
  EXPECT_EQ(sim::run(runtime, await_number(runtime, [](Reply<int> reply) { reply(1); })), 1);
  const auto later = [this](Reply<int> reply) {
    runtime.call_at(runtime.now() + seconds{1}, [reply = std::move(reply)]() mutable { reply(2); });
  };
  EXPECT_EQ(sim::run(runtime, await_number(runtime, later)), 2);
}

Async<void> hold_until_reply(Runtime& runtime, std::shared_ptr<int> held, Reply<int>& reply) {
  auto start = [&reply](Reply<int> given) { reply = std::move(given); };
  co_await await_reply<int>(runtime.executor(), start);
  ++*held;
}

TEST_F(Coroutines, a_reply_that_is_dropped_destroys_the_coroutine_where_it_stands) {
  const auto held = std::make_shared<int>(0);
  Reply<int> reply;
  boost::asio::co_spawn(runtime.executor(), hold_until_reply(runtime, held, reply),
                        [](const std::exception_ptr&) { FAIL() << "it never ends"; });
  settle();
  EXPECT_EQ(held.use_count(), 2);
  reply = nullptr;
  settle();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

TEST_F(Coroutines, a_gate_is_drained_when_the_last_coroutine_has_ended) {
  gate.spawn(wait_and_log(event, log, "a"), "a");
  settle();
  EXPECT_EQ(gate.running(), 1U);
  runtime.call_at(runtime.now() + seconds{1}, [this] { event.notify_all(); });
  sim::run(runtime, gate.drained());
  EXPECT_EQ(gate.running(), 0U);
  EXPECT_EQ(log, (std::vector<std::string>{"a"}));
}

Async<void> throw_something() {
  throw std::runtime_error("planted");
  co_return;
}

TEST_F(Coroutines, an_exception_that_leaves_a_coroutine_ends_the_process_with_its_name) {
  EXPECT_DEATH(
      {
        gate.spawn(throw_something(), "sorter");
        settle();
      },
      "sorter.*planted");
}

}  // namespace
}  // namespace postrider
