// What goes wrong on a GPU while it scans: calls that fail, memory that does not fit, jobs that are
// cancelled. Nothing is held afterwards, and the next scan works.
#include <atomic>

#include "core/pool.h"
#include "emulated_scans.h"
#include "scan_questions.h"
#include "tested_device.h"

using namespace test;
using gemmine::Error;
using gemmine::ErrorCode;

namespace {

struct Problem {
  Problem() {
    Dice dice(11);
    queries = random_rows(0, 9, 24, dice);
    corpus = random_rows(0, 200, 24, dice);
    for (Index query = 0; query < queries.rows; ++query)
      asked.push_back({.query = query, .depth = 5});
  }
  ScanRequest request(const Sides& sides) const {
    return {.queries = *sides.queries,
            .asked = asked,
            .groups = Groups::off,
            .corpus_groups = nullptr,
            .counted = false,
            .bound_factor = 1.0};
  }
  Rows queries, corpus;
  std::vector<ScanQuery> asked;
};

// A device, a corpus, a scan and scores of pairs, in memory of one of the variants.
std::vector<Ranking> run_all(const Problem& problem, Index variant, const Job& job) {
  const auto host = gemmine::cpu::make_scans();
  const auto scans = gemmine::cuda::make_scans(tested_device(), *host, emulated_sizes(variant));
  const Sides sides(*scans, Metric::cosine, problem.queries, problem.corpus, true, job);
  const std::vector<std::int32_t> indptr = {0, 2, 3, 3, 3, 3, 3, 3, 3, 3}, rows = {4, 150, 0};
  std::vector<double> scores(rows.size());
  scans->score_pairs(*sides.queries, {indptr.data(), rows.data()}, scores.data(), job);
  return scans->scan(problem.request(sides), job);
}

bool same_rankings(const std::vector<Ranking>& a, const std::vector<Ranking>& b) {
  bool right = a.size() == b.size();
  for (std::size_t i = 0; right && i < a.size(); ++i)
    right = same(a[i].admissible, b[i].admissible);
  return right;
}

void any_call_may_fail() {
  const Problem problem;
  const Job job = job_of(1);
  for (const Index variant : {0, 1, 2}) {
    const auto expected = run_all(problem, variant, job);
    long failed = 0;
    for (bool complete = false; !complete;) {
      emulation::runtime_options.calls_to_fail = ++failed;
      try {
        const auto found = run_all(problem, variant, job);
        complete = emulation::runtime_options.calls_to_fail > 0;  // fewer calls than that
        if (complete) check(same_rankings(found, expected), "a run without a failure");
      } catch (const Error& error) {
        check(error.code == ErrorCode::device_failure || error.code == ErrorCode::out_of_memory,
              std::string("the code: ") + error.what());
      }
      emulation::runtime_options.calls_to_fail = 0;
      emulation::forget_failure();
      check(emulation::held.nothing(),
            "nothing is held after call " + std::to_string(failed) + " failed");
    }
    std::printf("variant %ld: each of %ld calls failed once\n", static_cast<long>(variant),
                failed - 1);
    check(failed > 20, "calls that can fail");
  }
}

void memory_that_does_not_fit_is_named() {
  const Problem problem;
  std::size_t enough = 1 << 12;
  for (bool complete = false; !complete; enough += enough / 8) {
    emulation::runtime_options.device_bytes = enough;
    try {
      run_all(problem, 2, job_of(1));
      complete = true;
    } catch (const Error& error) {
      check(error.code == ErrorCode::out_of_memory &&
                std::string(error.what()).find("bytes") != std::string::npos,
            error.what());
    }
    check(emulation::held.nothing(), "nothing is held without enough memory");
  }
  emulation::runtime_options.device_bytes = std::size_t{1} << 36;
}

void more_memory_than_there_is() {
  const auto device = tested_device();
  const Index bytes = device->describe().memory + (Index{1} << 30);
  throws<Error>(
      [&] { gemmine::cuda::Array<char>(device, bytes); },
      [](const Error& error) { check(error.code == ErrorCode::out_of_memory, error.what()); },
      "more memory than there is");
}

void a_cancelled_scan_holds_nothing() {
  const Problem problem;
  const auto host = gemmine::cpu::make_scans();
  for (const Index variant : {1, 2})
    for (const char* phase : {"prepare", "scan"}) {
      std::int32_t flag = 0;
      Job job = job_of(1);
      job.cancellation = gemmine::Cancellation(&flag);
      job.report = [&](const gemmine::Progress& progress) {
        if (std::string(progress.phase) == phase && progress.done > 0) flag = 1;
      };
      bool cancelled = false;
      try {
        run_all(problem, variant, job);
      } catch (const gemmine::Cancelled&) {
        cancelled = true;
      }
      check(cancelled, std::string("cancelled in ") + phase);
      check(emulation::held.nothing(), "nothing is held after a cancelled scan");
    }
}

// The order of blocks and of queues is that of a seed.
void answers_do_not_depend_on_the_order_of_work() {
  const Problem problem;
  const auto expected = run_all(problem, 0, job_of(1));
  for (std::uint64_t seed = 2; seed < 22; ++seed) {
    emulation::options.seed = seed;
    emulation::runtime_options.eagerness = static_cast<int>(seed * 8 % 97);
    check(same_rankings(run_all(problem, static_cast<Index>(seed % 3), job_of(1)), expected),
          "the same bits with seed " + std::to_string(seed));
  }
  emulation::options.seed = 1;
  emulation::runtime_options.eagerness = 0;
}

// What is beyond a list's end is counted and nowhere written; a full list is found by other ways.
void rows_that_are_equal_are_ranked_canonically() {
  Dice dice(3);
  Rows rows = random_rows(0, 4000, 8, dice);
  for (Index i = 0; i < 3000; ++i) std::copy_n(&rows.values[0], 8, &rows.values[i * 8]);
  EmulatedScans scans(tested_device());
  NaiveScans naive;
  const Job job = job_of(2);
  const Rows queries = random_rows(0, 3, 8, dice);
  const Sides sides(scans, Metric::dot, queries, rows, true, job);
  const Sides plain(naive, Metric::dot, queries, rows, true, job);
  Questions questions{.asked = {}, .barred = {}, .corpus_groups = {}};
  for (Index query = 0; query < 3; ++query) questions.asked.push_back({.query = query, .depth = 4});
  const auto found = scans.scan(questions.of(*sides.queries), job);
  const auto expected = naive.scan(questions.of(*plain.queries), job);
  Index rescanned = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    check(same(found[i].admissible, expected[i].admissible), "rows that are equal");
    rescanned += found[i].rescanned;
  }
  std::printf("equal rows: %ld of 3 queries ranked canonically\n", static_cast<long>(rescanned));
  check(rescanned > 0, "more equal rows than lists hold are ranked canonically");
}

// Scores that ascend with the rows pass every threshold; lists with small pieces still prove them.
void rows_in_ascending_order_are_proven() {
  Rows rows{6000, 2, {}};
  for (Index i = 0; i < rows.rows; ++i) {
    rows.values.push_back(static_cast<float>(i + 1));
    rows.values.push_back(0);
  }
  Rows query{1, 2, {1, 0}};
  EmulatedScans scans(tested_device());
  const Job job = job_of(1);
  const Sides sides(scans, Metric::dot, query, rows, true, job);
  const ScanQuery asked{.query = 0, .depth = 3};
  const auto found = scans.scan({.queries = *sides.queries,
                                 .asked = {&asked, 1},
                                 .groups = Groups::off,
                                 .corpus_groups = nullptr,
                                 .counted = false,
                                 .bound_factor = 1.0},
                                job);
  check(!found[0].rescanned && found[0].admissible.size() == 3 &&
            found[0].admissible[0].row == 5999 && found[0].admissible[2].score == 5998,
        "the best of ascending rows");
}

}  // namespace

int main() {
  gemmine::set_pool_threads(2);
  on_chosen_device([](const std::string&) {
    more_memory_than_there_is();
    a_cancelled_scan_holds_nothing();
    answers_do_not_depend_on_the_order_of_work();
    rows_that_are_equal_are_ranked_canonically();
    rows_in_ascending_order_are_proven();
  });
  more_memory_than_there_is();
  any_call_may_fail();
  memory_that_does_not_fit_is_named();
  a_cancelled_scan_holds_nothing();
  answers_do_not_depend_on_the_order_of_work();
  rows_that_are_equal_are_ranked_canonically();
  rows_in_ascending_order_are_proven();
  check_emulation("hazards");
  const int status = report("cuda scan hazards");
  gemmine::stop_pool();
  return status;
}
