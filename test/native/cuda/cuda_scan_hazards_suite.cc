// What goes wrong on a GPU while it scans, in every operation: calls that fail, memory that does
// not fit, jobs that are cancelled. Nothing is held afterwards, and the next scan works.
#include <array>

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
    ask(asked, queries.rows);
    ask(turned, corpus.rows);
    for (std::size_t i = 0; i < filter.size(); ++i) filter[i] = 0x0F0F0F0Fu << i;
  }
  static void ask(std::vector<ScanQuery>& asked, Index rows) {
    for (Index query = 0; query < rows; ++query) asked.push_back({.query = query, .depth = 5});
  }
  ScanRequest request(const Sides& sides, const std::vector<ScanQuery>& questions) const {
    return {.queries = *sides.queries,
            .asked = questions,
            .groups = Groups::off,
            .corpus_groups = nullptr,
            .counted = false,
            .bound_factor = 1.0};
  }
  Rows queries, corpus;
  std::vector<ScanQuery> asked, turned;
  std::array<std::uint32_t, 7> filter{};
};

struct Answers {
  std::vector<Ranking> scanned, filtered;
  gemmine::BothWays ways;
  std::vector<gemmine::BestSegments> documents;
  std::vector<gemmine::BoundedValue> sums;
};

// A device, corpora, and every operation, in memory of one of the variants.
Answers run_all(const Problem& problem, Index variant, const Job& job) {
  const auto host = gemmine::cpu::make_scans();
  const auto scans = gemmine::cuda::make_scans(tested_device(), *host, emulated_sizes(variant));
  const Sides sides(*scans, Metric::cosine, problem.queries, problem.corpus, true, job);
  const Sides back(*scans, Metric::cosine, problem.corpus, problem.queries, true, job);
  const std::vector<std::int32_t> indptr = {0, 2, 3, 3, 3, 3, 3, 3, 3, 3}, rows = {4, 150, 0};
  std::vector<double> scores(rows.size());
  scans->score_pairs(*sides.queries, {indptr.data(), rows.data()}, scores.data(), job);
  Answers answers;
  const ScanRequest request = problem.request(sides, problem.asked);
  answers.scanned = scans->scan(request, job);
  ScanRequest filtered = request;
  filtered.filter = {problem.filter.data()};
  answers.filtered = scans->scan(filtered, job);
  answers.ways = scans->column_top(request, problem.request(back, problem.turned), job);
  const std::vector<std::int32_t> tokens = {0, 4, 4, 9}, words = {0, 90, 90, 93, 120, 200};
  answers.documents = scans->segment_max({.queries = *sides.queries,
                                          .query_segments = {tokens.data(), 3},
                                          .corpus_segments = {words.data(), 5},
                                          .begin = 0,
                                          .count = 3,
                                          .depth = 2,
                                          .bound_factor = 1.0},
                                         job);
  answers.sums = scans->log_sum_exp({.queries = *sides.queries,
                                     .begin = 0,
                                     .count = 9,
                                     .temperature = 0.1,
                                     .filter = {problem.filter.data()}},
                                    job);
  return answers;
}

bool same_rankings(const std::vector<Ranking>& a, const std::vector<Ranking>& b) {
  bool right = a.size() == b.size();
  for (std::size_t i = 0; right && i < a.size(); ++i)
    right = same(a[i].admissible, b[i].admissible);
  return right;
}

bool same_answers(const Answers& a, const Answers& b) {
  bool right = same_rankings(a.scanned, b.scanned) && same_rankings(a.filtered, b.filtered) &&
               same_rankings(a.ways.queries, b.ways.queries) &&
               same_rankings(a.ways.rows, b.ways.rows) &&
               a.documents.size() == b.documents.size() && a.sums.size() == b.sums.size();
  for (std::size_t i = 0; right && i < a.documents.size(); ++i)
    right = same(a.documents[i].best, b.documents[i].best);
  for (std::size_t i = 0; right && i < a.sums.size(); ++i)
    right = a.sums[i].value == b.sums[i].value && a.sums[i].error == b.sums[i].error;
  return right;
}

void any_call_may_fail() {
  const Problem problem;
  const Job job = job_of(1);
  for (const Index variant : {0, 1, 2}) {
    const auto expected = run_all(problem, variant, job);
    const long step = variant == 0 ? 1 : 3;  // the others have the same calls, more often
    long failed = 1 - step;
    for (bool complete = false; !complete;) {
      emulation::runtime_options.calls_to_fail = failed += step;
      try {
        const auto found = run_all(problem, variant, job);
        complete = emulation::runtime_options.calls_to_fail > 0;  // fewer calls than that
        if (complete) check(same_answers(found, expected), "a run without a failure");
      } catch (const Error& error) {
        check(error.code == ErrorCode::device_failure || error.code == ErrorCode::out_of_memory,
              std::string("the code: ") + error.what());
      }
      emulation::runtime_options.calls_to_fail = 0;
      emulation::forget_failure();
      check(emulation::held.nothing(),
            "nothing is held after call " + std::to_string(failed) + " failed");
    }
    std::printf("variant %ld: every %s of %ld calls failed once\n", static_cast<long>(variant),
                step == 1 ? "one" : "third", failed - 1);
    check(failed > 200, "calls that can fail");
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

// A job is cancelled at each of its reports, and so in every operation.
void a_cancelled_scan_holds_nothing() {
  const Problem problem;
  for (const Index variant : {1, 2}) {
    long at = 0;
    for (bool cancelled = true; cancelled;) {
      ++at;
      long reports = 0;
      std::int32_t flag = 0;
      Job job = job_of(1);
      job.cancellation = gemmine::Cancellation(&flag);
      job.report = [&](const gemmine::Progress&) { flag = ++reports == at ? 1 : flag; };
      cancelled = false;
      try {
        run_all(problem, variant, job);
      } catch (const gemmine::Cancelled&) {
        cancelled = true;
      }
      check(emulation::held.nothing(), "nothing is held after a cancelled scan");
    }
    std::printf("variant %ld: cancelled at each of %ld reports\n", static_cast<long>(variant),
                at - 1);
    check(at > 20, "reports of operations");
  }
}

// The order of blocks and of queues is that of a seed.
void answers_do_not_depend_on_the_order_of_work() {
  const Problem problem;
  const auto expected = run_all(problem, 0, job_of(1));
  for (std::uint64_t seed = 2; seed < 22; ++seed) {
    emulation::options.seed = seed;
    emulation::runtime_options.eagerness = static_cast<int>(seed * 8 % 97);
    check(same_answers(run_all(problem, static_cast<Index>(seed % 3), job_of(1)), expected),
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
