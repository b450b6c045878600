// What it costs to say which services a user is of interest to, by the number of services.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "postrider/sort/interest.hpp"

namespace {
using namespace postrider;

InterestIndex index_of(std::int64_t services) {
  std::vector<ServiceInterest> interests;
  for (std::int64_t i = 0; i < services; ++i) {
    interests.push_back(
        {.service = ServiceKey{i + 1},
         .sender_localpart = fmt::format("bot{}", i),
         .namespaces = {.users = {{fmt::format("@bridge{}_.*:example\\.test", i)}}}});
  }
  return InterestIndex(interests, "example.test");
}

void user_not_seen_before(benchmark::State& state) {
  InterestIndex index = index_of(state.range(0));
  std::int64_t number = 0;
  for (auto _ : state) {
    const auto user = fmt::format("@bridge{}_u{}:example.test", number % state.range(0), number);
    benchmark::DoNotOptimize(&index.users(user));
    ++number;
  }
}

void user_seen_before(benchmark::State& state) {
  InterestIndex index = index_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(&index.users("@bridge5_someone:example.test"));
}

void index_built(benchmark::State& state) {
  for (auto _ : state) {
    InterestIndex index = index_of(state.range(0));
    benchmark::DoNotOptimize(&index.users("@bridge5_someone:example.test"));
  }
}

BENCHMARK(user_not_seen_before)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(user_seen_before)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(index_built)->Arg(10)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
}  // namespace

BENCHMARK_MAIN();
