// What SQLite alone does: a row a fact, in WAL with synchronous=FULL, facts per commit as given.
//   sqlite_alone FACTS.ndjson FOLDER [Google Benchmark's options]
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <sqlite3.h>

namespace {
std::vector<std::string> facts;
std::filesystem::path folder;

void check(int result, sqlite3* db) {
  if (result == SQLITE_OK || result == SQLITE_DONE) return;
  std::fprintf(stderr, "sqlite_alone: %s\n", sqlite3_errmsg(db));
  std::exit(1);
}

class Table {
 public:
  Table() {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(folder / (std::string("alone.db") + suffix));
    }
    check(sqlite3_open((folder / "alone.db").c_str(), &db_), db_);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE facts (id INTEGER PRIMARY KEY, body BLOB NOT NULL)");
    constexpr std::string_view insert = "INSERT INTO facts (body) VALUES (?1)";
    check(sqlite3_prepare_v2(db_, insert.data(), int{insert.size()}, &insert_, nullptr), db_);
  }
  ~Table() {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), db_); }

  void insert(std::string_view fact) {
    check(sqlite3_bind_blob64(insert_, 1, fact.data(), fact.size(), SQLITE_STATIC), db_);
    check(sqlite3_step(insert_), db_);
    check(sqlite3_reset(insert_), db_);
  }

 private:
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

void append(benchmark::State& state) {
  Table table;
  std::size_t next = 0;
  const auto facts_per_commit = state.range(0);
  for (auto _ : state) {
    table.run("BEGIN");
    for (std::int64_t i = 0; i < facts_per_commit; ++i) {
      table.insert(facts[next]);
      next = (next + 1) % facts.size();
    }
    table.run("COMMIT");
  }
  state.SetItemsProcessed(state.iterations() * facts_per_commit);
}
BENCHMARK(append)->Arg(1)->Arg(10)->Arg(64)->Arg(100)->Arg(640)->Arg(6400)->UseRealTime();
}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("sqlite_alone: give FACTS.ndjson and a folder\n", stderr);
    return 2;
  }
  std::ifstream input(argv[1]);
  for (std::string line; std::getline(input, line);) facts.push_back(line);
  folder = argv[2];
  if (facts.empty()) {
    std::fprintf(stderr, "sqlite_alone: %s has no facts\n", argv[1]);
    return 2;
  }
  argv[2] = argv[0];
  int rest = argc - 2;
  benchmark::Initialize(&rest, argv + 2);
  benchmark::RunSpecifiedBenchmarks();
}
