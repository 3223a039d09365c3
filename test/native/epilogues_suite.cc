// Late interaction over segments and sums of exponentials, in every implementation of Scans,
// compared with the naive one. Implementations are in scans_devices.h.
#include <cmath>

#include "check.h"
#include "core/pool.h"
#include "scan_scenes.h"
#include "scans_devices.h"

using namespace test;
using gemmine::Scans;

namespace {

// Some of the starts are equal: a segment may be empty.
std::vector<std::int32_t> random_starts(Index rows, Dice& dice) {
  std::vector<std::int32_t> starts{0};
  const Index longest = dice.chance(3) ? 2 : 1 + dice.below(90);
  while (starts.back() < rows) {
    const Index size = dice.chance(5) ? 0 : dice.below(longest + 1);
    starts.push_back(static_cast<std::int32_t>(std::min(starts.back() + size, rows)));
  }
  return starts;
}

gemmine::Segments segments_of(const std::vector<std::int32_t>& starts) {
  return {.starts = starts.data(), .count = static_cast<Index>(starts.size()) - 1};
}

void test_segments(Scans& scans, const std::string& what, Index scenes) {
  NaiveScans naive;
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(9000 + seed);
    const Scene scene = random_scene(seed, dice, dice.chance(3));
    const auto query_starts = random_starts(scene.queries.rows, dice);
    const auto corpus_starts = random_starts(scene.right().rows, dice);
    const Job job = job_of(1 + dice.below(3));
    const Sides sides(scans, scene.metric, scene.queries, scene.right(), dice.chance(2), job);
    const Sides plain(naive, scene.metric, scene.queries, scene.right(), true, job);
    const gemmine::Segments queries = segments_of(query_starts);
    const Index begin = dice.chance(3) ? dice.below(queries.count) : 0;
    const auto answers_of = [&](Scans& asked, const Sides& given) {
      return asked.segment_max({.queries = *given.queries,
                                .query_segments = queries,
                                .corpus_segments = segments_of(corpus_starts),
                                .begin = begin,
                                .count = queries.count - begin,
                                .depth = 1 + seed % 7,
                                .bound_factor = 1.0},
                               job);
    };
    const auto answers = answers_of(scans, sides);
    const auto expected = answers_of(naive, plain);
    bool right = answers.size() == expected.size();
    for (std::size_t i = 0; right && i < expected.size(); ++i)
      right = same(answers[i].best, expected[i].best);
    check(right, what + ", " + scene.name);
  }
}

// A scan of documents is only a filter: without its bound the answers are those of its format.
void test_bound_of_segments(const gemmine::cpu::ScanFormat& format) {
  Dice dice(11);
  const Rows rows = twins(900, 24, dice);
  std::vector<std::int32_t> starts;
  for (std::int32_t start = 0; start <= 900; start += 3) starts.push_back(start);
  TrialScans scans;
  NaiveScans naive;
  scans.format = &format;
  const Job job = job_of(3);
  const auto answers_of = [&](Scans& asked) {
    const Sides sides(asked, Metric::dot, rows, rows, true, job);
    return asked.segment_max({.queries = *sides.queries,
                              .query_segments = segments_of(starts),
                              .corpus_segments = segments_of(starts),
                              .begin = 0,
                              .count = 20,
                              .depth = 4,
                              .bound_factor = 1.0},
                             job);
  };
  const auto expected = answers_of(naive);
  for (const double factor : {1.0, 0.0}) {
    scans.bound_factor = factor;
    const auto answers = answers_of(scans);
    Index wrong = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
      wrong += !same(answers[i].best, expected[i].best);
    check((wrong == 0) == (factor == 1), std::string("a bound of documents, ") + format.name);
  }
}

double some_temperature(Dice& dice) {
  const double powers[] = {-100, -6, -2, -1, 0, 2, 100};
  return std::pow(10.0, powers[dice.below(7)]) * (dice.chance(2) ? 1.0 : 0.3);
}

// Within the bound that it states, and with the same bits from any number of threads.
void test_log_sums(Scans& scans, const std::string& what, Index scenes) {
  NaiveScans naive;
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(8000 + seed);
    const Scene scene = random_scene(seed, dice, dice.chance(3));
    const double temperature = std::clamp(some_temperature(dice), 1e-100, 1e100);
    const bool keep = dice.chance(2);
    const auto values_of = [&](Scans& asked, Index threads, Index begin) {
      const Job job = job_of(threads);
      const Sides sides(asked, scene.metric, scene.queries, scene.right(), keep, job);
      return asked.log_sum_exp({.queries = *sides.queries,
                                .begin = begin,
                                .count = scene.queries.rows - begin,
                                .temperature = temperature},
                               job);
    };
    const auto values = values_of(scans, 1, 0);
    const auto expected = values_of(naive, 1, 0);
    const Index begin = dice.below(scene.queries.rows);
    const auto again = values_of(scans, 3, begin);
    bool right = values.size() == expected.size();
    for (std::size_t i = 0; right && i < expected.size(); ++i)
      right = std::abs(values[i].value - expected[i].value) <= values[i].error;
    check(right, what + ", " + scene.name + ", temperature " + std::to_string(temperature));
    bool equal = true;
    for (std::size_t i = 0; i < again.size(); ++i)
      equal = equal && again[i].value == values[begin + i].value &&
              again[i].error == values[begin + i].error;
    check(equal, what + ", the same bits again, " + scene.name);
  }
}

// Rows of a corpus with each other, in any order and with repeats.
void test_row_scores(Scans& scans, const std::string& what, Index scenes) {
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(4000 + seed);
    const Metric metric = metrics[seed % 3];
    const Index n = 1 + dice.below(60);
    const Rows rows = random_rows(dice.below(kinds), n, 1 + dice.below(40), dice);
    const Job job = job_of(1 + dice.below(3));
    const auto source = source_of(rows);
    const auto corpus = scans.prepare_corpus(*source, metric, dice.chance(2), job);
    std::vector<std::int32_t> asked(dice.below(20));
    std::vector<std::vector<std::int32_t>> lists(asked.size());
    for (std::size_t i = 0; i < asked.size(); ++i) {
      asked[i] = static_cast<std::int32_t>(dice.below(n));
      lists[i].resize(dice.below(15));
      for (auto& row : lists[i]) row = static_cast<std::int32_t>(dice.below(n));
    }
    const Lists listed(lists);
    std::vector<double> scores(listed.indices.size());
    scans.score_rows(*corpus, asked, listed.view(), scores.data(), job);
    bool right = true;
    std::size_t at = 0;
    for (std::size_t i = 0; i < asked.size(); ++i)
      for (const auto row : lists[i])
        right &= scores[at++] == plain_score(metric, rows.row(asked[i]), rows.row(row), rows.d);
    check(right, what + ", scene " + std::to_string(seed));
  }
}

void epilogues_suite(Scans& scans, const std::string& name, Index scenes) {
  test_segments(scans, name + ", segment maxima", scenes);
  test_row_scores(scans, name + ", scores of rows", scenes);
  test_log_sums(scans, name + ", log-sum-exp", scenes);
}

}  // namespace

int main(int argc, char** argv) {
  gemmine::set_pool_threads(3);
  const Index scenes = argc > 1 ? std::atol(argv[1]) : 100;
  each_scans(scenes, epilogues_suite);
  for (const auto* format : {&gemmine::cpu::first_format(), &gemmine::cpu::finest_format()})
    test_bound_of_segments(*format);
  const int status = report("epilogues");
  gemmine::stop_pool();
  return status;
}
