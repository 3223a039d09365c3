// What is the cost of the best rows of each query and the best queries of each row in one pass,
// compared with two scans? Is a scan of the columns alone faster than a scan with exchanged sides?
// Synthetic: 20 000 × 20 000 × 384, k = 10, cosine; arguments change queries, rows, columns and k.
// The variants run in turn in every format of the CPU. Times are CPU times, because wall time is
// noise on a shared machine.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include "backend/cpu/column_top.h"
#include "backend/cpu/join.h"
#include "backend/cpu/scan.h"
#include "backend/cpu/scan_corpus.h"
#include "core/pool.h"
#include "core/random.h"

namespace {

using namespace gemmine;

constexpr int rounds = 7;

double process_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Side {
  Side(Index rows, Index d, Index k, std::uint64_t seed) : values(rows * d) {
    const CounterRandom random(seed, 1);
    for (Index i = 0; i < rows * d; ++i) values[i] = static_cast<float>(random.normal(i, 0));
    source = dense_source(values.data(), ElementType::float32, rows, d, d);
    for (Index row = 0; row < rows; ++row) asked.push_back({.query = row, .depth = k});
  }

  std::vector<float> values;
  std::unique_ptr<RowSource> source;
  std::vector<ScanQuery> asked;
};

// One side as queries of the other, prepared as in a call.
struct Handles {
  Handles(const Side& queries, const Side& rows, const cpu::ScanFormat& format, const Job& job)
      : corpus(*rows.source, Metric::cosine, format, false, job),
        handle(*queries.source, corpus, job),
        request{.queries = handle,
                .asked = queries.asked,
                .groups = Groups::off,
                .corpus_groups = nullptr,
                .counted = false,
                .bound_factor = 1.0} {}

  cpu::CpuCorpus corpus;
  cpu::CpuQueries handle;
  ScanRequest request;
};

template <class Run>
double seconds_of(Run run) {
  const double start = process_seconds();
  run();
  return process_seconds() - start;
}

bool same(const std::vector<Ranking>& a, const std::vector<Ranking>& b) {
  return std::ranges::equal(a, b, [](const Ranking& x, const Ranking& y) {
    return std::ranges::equal(x.admissible, y.admissible, [](const Scored& s, const Scored& t) {
      return s.row == t.row && s.score == t.score;
    });
  });
}

// Only the lists of the rows, from the tiles of the queries.
std::vector<Ranking> columns_alone(const Handles& there, const Handles& back, const Job& job) {
  cpu::Asked queries, rows;
  for (const ScanQuery& query : there.request.asked) queries.push_back(&query);
  for (const ScanQuery& query : back.request.asked) rows.push_back(&query);
  std::vector<Ranking> found(rows.size());
  cpu::Join join({.request = there.request, .asked = queries, .open = {}},
                 {.request = back.request, .asked = rows, .open = rows}, there.corpus.panels(),
                 true, job);
  join.run();
  join.rank_rows(found);
  return found;
}

void compare(const cpu::ScanFormat& format, const Side& queries, const Side& rows) {
  const Job job{.cancellation = {}, .report = {}, .threads = pool_threads()};
  std::vector<double> there, back, both, columns, ratios, alone;
  BothWays of_scans, at_once;
  std::vector<Ranking> of_columns;
  for (int round = 0; round < rounds; ++round) {
    there.push_back(seconds_of(
        [&] { of_scans.queries = cpu::scan(Handles(queries, rows, format, job).request, job); }));
    back.push_back(seconds_of(
        [&] { of_scans.rows = cpu::scan(Handles(rows, queries, format, job).request, job); }));
    both.push_back(seconds_of([&] {
      const Handles forth(queries, rows, format, job), reverse(rows, queries, format, job);
      at_once = cpu::column_top(forth.request, reverse.request, job);
    }));
    columns.push_back(seconds_of([&] {
      const Handles forth(queries, rows, format, job), reverse(rows, queries, format, job);
      of_columns = columns_alone(forth, reverse, job);
    }));
    ratios.push_back(both.back() / (there.back() + back.back()));
    alone.push_back(columns.back() / back.back());
  }
  const bool right = same(of_scans.queries, at_once.queries) && same(of_scans.rows, at_once.rows);
  std::printf("%-10s %8.3f %8.3f %8.3f %8.3f %8.3f %8.3f   %s, %s\n", format.name, median(there),
              median(back), median(both), median(ratios), median(columns), median(alone),
              right ? "same bits" : "DIFFERENT",
              same(of_scans.rows, of_columns) ? "same bits" : "some rows undecided");
}

}  // namespace

int main(int argc, char** argv) {
  const Index n = argc > 1 ? std::atol(argv[1]) : 20000;
  const Index m = argc > 2 ? std::atol(argv[2]) : 20000;
  const Index d = argc > 3 ? std::atol(argv[3]) : 384;
  const Index k = argc > 4 ? std::atol(argv[4]) : 10;
  const Side queries(n, d, k, 1), rows(m, d, k, 2);
  std::printf("%ld queries and %ld rows x %ld, k %ld, %ld threads, seconds of CPU time\n", n, m, d,
              k, pool_threads());
  std::printf("%-10s %8s %8s %8s %8s %8s %8s\n", "", "queries", "rows", "at once", "ratio",
              "columns", "ratio");
  compare(cpu::finest_format(), queries, rows);
  if (&cpu::first_format() != &cpu::finest_format()) compare(cpu::first_format(), queries, rows);
  stop_pool();
}
