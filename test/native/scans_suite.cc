// Every scan of every implementation, compared with the naive one: random questions on random, tied
// and degenerate rows. Implementations are in scans_devices.h.
#include "backend/cpu/join.h"
#include "check.h"
#include "core/pool.h"
#include "scan_questions.h"
#include "scans_devices.h"

using namespace test;

namespace {

// More pairs than are held at a time: the queries are answered in parts.
void test_many_rows_above(Scans& scans) {
  Dice dice(3);
  const Rows rows = random_rows(0, 5000, 3, dice);
  const Job job = job_of(3);
  const Sides sides(scans, Metric::dot, rows, rows, true, job);
  std::vector<ScanQuery> asked;
  for (Index query = 0; query < 5000; ++query)
    asked.push_back({.query = query, .depth = every_row, .floor = -1e3});
  const auto rankings = scans.scan({.queries = *sides.queries,
                                    .asked = asked,
                                    .groups = Groups::off,
                                    .corpus_groups = nullptr,
                                    .counted = false,
                                    .bound_factor = 1.0},
                                   job);
  for (const Ranking& each : rankings)
    check(each.admissible.size() == 5000 && !each.rescanned, "every pair is above");
}

// Rankings of a corpus against itself or against a copy, and how many of them were rescanned.
std::pair<std::vector<Ranking>, Index> neighbours(const gemmine::cpu::ScanFormat& format,
                                                  const Rows& rows, const Rows& corpus,
                                                  Index threads) {
  TrialScans scans;
  scans.format = &format;
  const Job job = job_of(threads);
  const Sides sides(scans, Metric::cosine, rows, corpus, threads > 1, job);
  Questions questions{.asked = {}, .barred = {}, .corpus_groups = {}};
  for (Index query = 0; query < rows.rows; ++query)
    questions.asked.push_back({.query = query, .depth = 10});
  check(gemmine::cpu::is_self_join(questions.of(*sides.queries), job) == (&rows == &corpus),
        "a corpus against itself is recognised, and a copy is none");
  auto rankings = scans.scan(questions.of(*sides.queries), job);
  Index rescanned = 0;
  for (const Ranking& each : rankings) rescanned += each.rescanned;
  return {std::move(rankings), rescanned};
}

// A third of the rows are equal, so that lists of all kinds overflow.
void test_self_join(const gemmine::cpu::ScanFormat& format) {
  Dice dice(5);
  for (const bool clustered : {false, true}) {
    Rows rows = random_rows(0, 3000, 24, dice);
    for (Index i = 0; clustered && i < 1000; ++i)
      std::copy_n(&rows.values[0], 24, &rows.values[i * 3 * 24]);
    const Rows copy = rows;
    const auto [expected, _] = neighbours(format, rows, copy, 2);
    const auto [first, rescanned] = neighbours(format, rows, rows, 1);
    check((rescanned > 0) == clustered, "ties beyond the lists fall back, and nothing else");
    for (const Index threads : {2, 3}) {
      const auto [again, also] = neighbours(format, rows, rows, threads);
      check(rescanned == also, "as many fall back for any number of threads");
      bool right = true;
      for (std::size_t i = 0; i < expected.size(); ++i)
        right = right && same(first[i].admissible, expected[i].admissible) &&
                same(again[i].admissible, expected[i].admissible);
      check(right, std::string("a self-join finds what a scan of a copy finds, ") + format.name);
    }
  }
}

// Rows whose scores are nearer to each other than a scan can tell.
std::vector<std::pair<const char*, Rows>> planted_rows() {
  Dice dice(6);
  std::vector<std::pair<const char*, Rows>> planted;
  planted.push_back({"twins", twins(400, 384, dice)});
  // As far away in both directions: no centre helps.
  planted.push_back({"1e4 + N(0,1)", random_rows(3, 400, 64, dice)});
  Rows& far = planted.back().second;
  for (Index i = 0; i < far.rows; i += 2)
    for (Index t = 0; t < far.d; ++t) far.values[i * far.d + t] -= 2e4f;
  return planted;
}

Index wrong_of(const std::vector<Ranking>& rankings, const std::vector<Ranking>& expected) {
  Index wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    wrong += !same(rankings[i].admissible, expected[i].admissible);
  return wrong;
}

// A join is only a filter: without its bound the planted scenes come out wrong, for every metric.
void test_bound_of_self_join(const gemmine::cpu::ScanFormat& format) {
  TrialScans scans;
  NaiveScans naive;
  scans.format = &format;
  const Job job = job_of(3);
  const auto planted = planted_rows();
  for (const Metric metric : metrics) {
    Index wrong_without = 0;
    for (const auto& [name, rows] : planted) {
      Questions questions{.asked = {}, .barred = {}, .corpus_groups = {}};
      for (Index query = 0; query < rows.rows; ++query)
        questions.asked.push_back({.query = query, .depth = 20});
      const Sides plain(naive, metric, rows, rows, true, job);
      const Sides sides(scans, metric, rows, rows, true, job);
      const auto expected = naive.scan(questions.of(*plain.queries), job);
      check(gemmine::cpu::is_self_join(questions.of(*sides.queries), job),
            "a self-join is planted");
      scans.bound_factor = 1;
      check(wrong_of(scans.scan(questions.of(*sides.queries), job), expected) == 0,
            std::string(name) + ", self-join, " + name_of(metric));
      scans.bound_factor = 0;
      wrong_without += wrong_of(scans.scan(questions.of(*sides.queries), job), expected);
    }
    std::printf("%s, %s: %ld wrong without the bound of a self-join\n", format.name,
                name_of(metric), static_cast<long>(wrong_without));
    check(wrong_without > 0, std::string("the bound of a self-join, ") + format.name);
  }
}

}  // namespace

int main(int argc, char** argv) {
  gemmine::set_pool_threads(3);
  const Index scenes = argc > 1 ? std::atol(argv[1]) : 100;
  each_scans(scenes, scans_suite);
  TrialScans scans;
  test_many_rows_above(scans);
  for (const auto* format : {&gemmine::cpu::first_format(), &gemmine::cpu::finest_format()}) {
    test_self_join(*format);
    test_bound_of_self_join(*format);
  }
  const int status = report("scans");
  gemmine::stop_pool();
  return status;
}
