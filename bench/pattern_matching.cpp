// What it costs to say which services a user is of interest to, by the number of services.
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "postrider/matrix/namespace_index.hpp"

namespace {
using namespace postrider;

using Rules = std::shared_ptr<const MatrixRules>;

std::shared_ptr<const Interest> interest_of(std::int64_t service) {
  Namespaces namespaces;
  namespaces.users = {{fmt::format("@bridge{}_.*:example\\.test", service), false}};
  return std::make_shared<const MatrixInterest>(fmt::format("bot{}", service), namespaces);
}

std::vector<ServiceInterest> interests_of(std::int64_t services) {
  std::vector<ServiceInterest> interests;
  for (std::int64_t i = 0; i < services; ++i)
    interests.push_back({ServiceKey{i + 1}, interest_of(i)});
  return interests;
}

Rules compile(std::vector<ServiceInterest> interests, const MatrixRules* previous = nullptr) {
  return std::make_shared<const MatrixRules>(std::move(interests), previous, "example.test");
}

void user_not_seen_before(benchmark::State& state) {
  NamespaceIndex index(compile(interests_of(state.range(0))));
  std::int64_t number = 0;
  for (auto _ : state) {
    const auto user = fmt::format("@bridge{}_u{}:example.test", number % state.range(0), number);
    benchmark::DoNotOptimize(&index.users(user));
    ++number;
  }
}

void user_seen_before(benchmark::State& state) {
  NamespaceIndex index(compile(interests_of(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(&index.users("@bridge5_someone:example.test"));
}

void all_compiled(benchmark::State& state) {
  for (auto _ : state) {
    NamespaceIndex index(compile(interests_of(state.range(0))));
    benchmark::DoNotOptimize(&index.users("@bridge5_someone:example.test"));
  }
}

/// What a change of one registration costs, on average over many.
void one_changed(benchmark::State& state) {
  auto interests = interests_of(state.range(0));
  Rules rules = compile(interests);
  std::size_t next = 0;
  for (auto _ : state) {
    interests[next % interests.size()].interest = interest_of(static_cast<std::int64_t>(next));
    rules = compile(interests, rules.get());
    ++next;
  }
}

BENCHMARK(user_not_seen_before)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(user_seen_before)->Arg(10)->Arg(1000)->Arg(10000);
BENCHMARK(all_compiled)->Arg(10)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(one_changed)->Arg(10)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
}  // namespace

BENCHMARK_MAIN();
