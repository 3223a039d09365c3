// Scans of the rows in a filter, in every implementation of Scans, compared with the naive one:
// filters of requests and of questions, with barred rows, groups, classes and counts.
#include <bit>
#include <cmath>

#include "check.h"
#include "core/pool.h"
#include "scan_scenes.h"
#include "scans_devices.h"

using namespace test;
using gemmine::Groups;
using gemmine::RowFilter;
using gemmine::Scans;

namespace {

using Words = std::vector<std::uint32_t>;

// No row, all rows, a range of rows, or random rows, of which there are many or few.
Words some_filter(Index rows, Dice& dice) {
  Words words((rows + 31) / 32);
  const Index kind = dice.below(6);
  const Index begin = kind == 2 ? dice.below(rows) : 0;
  const Index end = kind == 2 ? begin + dice.below(rows - begin + 1) : rows;
  const Index step = kind < 3 ? 1 : kind == 3 ? 2 : kind == 4 ? 20 : 100;
  for (Index row = begin; kind > 0 && row < end; ++row)
    if (step == 1 || dice.chance(step)) words[row / 32] |= 1u << (row % 32);
  return words;
}

// What a request points at.
struct Questions {
  std::vector<ScanQuery> asked;
  std::vector<Words> filters;  // the first is that of the request
  std::vector<std::vector<std::int32_t>> barred;
  std::vector<std::int32_t> groups, class_of, class_rows;
  std::vector<Index> class_starts;
  Words shared;
  bool filtered, counted;

  ScanRequest of(const gemmine::QueryHandle& queries) const {
    const gemmine::RowClasses classes{.count = static_cast<Index>(class_starts.size()) - 1,
                                      .of = class_of.data(),
                                      .shared = shared.data(),
                                      .starts = class_starts.data(),
                                      .rows = class_rows.data()};
    return {.queries = queries,
            .asked = asked,
            .groups = groups.empty() ? Groups::off : Groups::different,
            .corpus_groups = groups.data(),
            .classes = classes,
            .counted = counted,
            .bound_factor = 1.0,
            .filter = {filtered ? filters[0].data() : nullptr}};
  }
};

void classify_some_rows(Questions& questions, Index rows, Dice& dice) {
  const Index classes = dice.chance(2) ? 1 + dice.below(5) : 0;
  questions.class_of.assign(rows, -1);
  questions.shared.assign((rows + 31) / 32, 0);
  questions.class_starts = {0};
  for (std::int32_t& own : questions.class_of)
    if (classes > 0 && dice.chance(3)) own = static_cast<std::int32_t>(dice.below(classes));
  for (Index each = 0; each < classes; ++each) {
    for (Index row = 0; row < rows; ++row) {
      if (questions.class_of[row] != each) continue;
      questions.class_rows.push_back(static_cast<std::int32_t>(row));
      questions.shared[row / 32] |= 1u << (row % 32);
    }
    questions.class_starts.push_back(static_cast<Index>(questions.class_rows.size()));
  }
}

ScanQuery some_question(Index query, const Scene& scene, bool counted, Dice& dice) {
  const Index rows = scene.right().rows;
  ScanQuery asked{.query = query, .depth = 1 + dice.below(std::min<Index>(rows, 20))};
  if (dice.chance(3)) asked.floor = some_score(scene, dice);
  if (!counted) return asked;
  if (dice.chance(2)) asked.ceiling = some_score(scene, dice);
  if (dice.chance(3)) asked.reference = some_score(scene, dice);
  if (dice.chance(3)) asked.rejected_depth = dice.below(6);
  if (dice.chance(3))
    asked.draw = {.count = 1 + dice.below(std::min<Index>(rows, 9)), .seed = 1, .query = 5};
  asked.group = static_cast<std::int32_t>(dice.below(4)) - 1;
  return asked;
}

Questions ask(const Scene& scene, Dice& dice) {
  const Index rows = scene.right().rows;
  Questions questions{};
  questions.filtered = dice.chance(2);
  questions.counted = dice.chance(2);
  const Index filters = 1 + dice.below(4);
  for (Index i = 0; i <= filters; ++i) questions.filters.push_back(some_filter(rows, dice));
  const bool own = !questions.filtered || dice.chance(2);
  for (Index query = 0; query < scene.queries.rows; ++query)
    for (Index times = dice.chance(4) ? 2 : 1; times > 0; --times) {
      questions.asked.push_back(some_question(query, scene, questions.counted, dice));
      if (own && !dice.chance(5))
        questions.asked.back().filter.words = questions.filters[1 + dice.below(filters)].data();
      questions.barred.push_back(some_rows(dice.below(std::min<Index>(rows, 20)), rows, dice));
    }
  const bool barring = dice.chance(2);
  for (std::size_t i = 0; barring && i < questions.asked.size(); ++i)
    questions.asked[i].barred = questions.barred[i];
  questions.class_starts = {0};
  if (!questions.counted) return questions;
  classify_some_rows(questions, rows, dice);
  if (dice.chance(2)) questions.groups.resize(rows);
  for (std::int32_t& group : questions.groups) group = static_cast<std::int32_t>(dice.below(4)) - 1;
  return questions;
}

bool counts_agree(const Questions& questions, const ScanQuery& query, const Ranking& a,
                  const Ranking& b) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!questions.counted) return true;
  const bool used[] = {query.ceiling<infinity, query.floor> - infinity, query.reference < infinity};
  for (int level = 0; level < gemmine::level_count; ++level) {
    if (used[level] && a.above[level] != b.above[level]) return false;
    if (used[level] && level < gemmine::classed_levels && a.repeated[level] != b.repeated[level])
      return false;
  }
  return true;
}

void test_rankings(Scans& scans, const std::string& what, Index scenes) {
  NaiveScans naive;
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(11000 + seed);
    const Scene scene = random_scene(seed, dice, dice.chance(3));
    const Questions questions = ask(scene, dice);
    const Job job = job_of(1 + dice.below(3));
    const Sides sides(scans, scene.metric, scene.queries, scene.right(), dice.chance(2), job);
    const Sides plain(naive, scene.metric, scene.queries, scene.right(), true, job);
    const auto rankings = scans.scan(questions.of(*sides.queries), job);
    const auto expected = naive.scan(questions.of(*plain.queries), job);
    bool right = rankings.size() == expected.size();
    for (std::size_t i = 0; right && i < expected.size(); ++i)
      right = same(rankings[i].admissible, expected[i].admissible) &&
              same(rankings[i].drawn, expected[i].drawn) &&
              same(rankings[i].repeats, expected[i].repeats) &&
              (questions.asked[i].rejected_depth == 0 ||
               same(rankings[i].rejected, expected[i].rejected)) &&
              counts_agree(questions, questions.asked[i], rankings[i], expected[i]);
    check(right, what + ", " + scene.name);
  }
}

void test_log_sums(Scans& scans, const std::string& what, Index scenes) {
  NaiveScans naive;
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(12000 + seed);
    const Scene scene = random_scene(seed, dice, false);
    const Words words = some_filter(scene.corpus.rows, dice);
    const bool of_each = dice.chance(2);
    std::vector<Words> own;
    std::vector<RowFilter> of_query;
    for (Index i = 0; of_each && i < scene.queries.rows; ++i)
      own.push_back(some_filter(scene.corpus.rows, dice));
    for (const Words& each : own) of_query.push_back({.words = each.data()});
    const double temperature = dice.chance(2) ? 0.05 : 3;
    const auto values_of = [&](Scans& asked, Index threads) {
      const Job job = job_of(threads);
      const Sides sides(asked, scene.metric, scene.queries, scene.corpus, threads > 1, job);
      return asked.log_sum_exp({.queries = *sides.queries,
                                .begin = 0,
                                .count = scene.queries.rows,
                                .temperature = temperature,
                                .filter = {words.data()},
                                .of_query = of_query},
                               job);
    };
    const auto values = values_of(scans, 1), again = values_of(scans, 3);
    const auto expected = values_of(naive, 1);
    bool right = values.size() == expected.size();
    for (std::size_t i = 0; right && i < expected.size(); ++i)
      right = (values[i].value == expected[i].value ||
               std::abs(values[i].value - expected[i].value) <= values[i].error) &&
              values[i].value == again[i].value && values[i].error == again[i].error;
    check(right, what + ", " + scene.name);
  }
}

// Both ways between rows of which some are filtered out, as two scans.
void test_both_ways(Scans& scans, const std::string& what) {
  Dice dice(3);
  NaiveScans naive;
  const Rows queries = random_rows(1, 800, 3, dice), rows = random_rows(0, 900, 3, dice);
  const Words of_rows = some_filter(900, dice), of_queries = some_filter(800, dice);
  const auto ways = [&](Scans& asked) {
    const Job job = job_of(2);
    const Sides there(asked, Metric::dot, queries, rows, true, job);
    const Sides back(asked, Metric::dot, rows, queries, true, job);
    const auto all = [](Index count) {
      std::vector<ScanQuery> questions;
      for (Index i = 0; i < count; ++i) questions.push_back({.query = i, .depth = 5});
      return questions;
    };
    const std::vector<ScanQuery> forth = all(800), reverse = all(900);
    const auto request = [](const Sides& sides, const auto& questions, const Words& words) {
      return ScanRequest{.queries = *sides.queries,
                         .asked = questions,
                         .groups = Groups::off,
                         .corpus_groups = nullptr,
                         .counted = false,
                         .bound_factor = 1.0,
                         .filter = {words.data()}};
    };
    return asked.column_top(request(there, forth, of_rows), request(back, reverse, of_queries),
                            job);
  };
  const auto found = ways(scans), expected = ways(naive);
  bool right = true;
  for (std::size_t i = 0; i < expected.queries.size(); ++i)
    right = right && same(found.queries[i].admissible, expected.queries[i].admissible);
  for (std::size_t i = 0; i < expected.rows.size(); ++i)
    right = right && same(found.rows[i].admissible, expected.rows[i].admissible);
  check(right, what);
}

// Late interaction with tokens and documents that are left out.
void test_segments(Scans& scans, const std::string& what, Index scenes) {
  NaiveScans naive;
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(13000 + seed);
    const Scene scene = random_scene(seed, dice, false);
    const auto starts_of = [&](Index rows) {
      std::vector<std::int32_t> starts{0};
      while (starts.back() < rows)
        starts.push_back(
            static_cast<std::int32_t>(std::min<Index>(starts.back() + dice.below(60), rows)));
      return starts;
    };
    const auto query_starts = starts_of(scene.queries.rows), starts = starts_of(scene.corpus.rows);
    const gemmine::Segments queries{query_starts.data(), std::ssize(query_starts) - 1};
    const gemmine::Segments documents{starts.data(), std::ssize(starts) - 1};
    const Words rows = some_filter(scene.corpus.rows, dice);
    std::vector<Words> own;
    std::vector<RowFilter> of_query;
    for (Index i = 0; i < queries.count; ++i) own.push_back(some_filter(documents.count, dice));
    for (const Words& each : own) of_query.push_back({.words = each.data()});
    const auto answers_of = [&](Scans& asked, Index threads) {
      const Job job = job_of(threads);
      const Sides sides(asked, scene.metric, scene.queries, scene.corpus, threads > 1, job);
      return asked.segment_max({.queries = *sides.queries,
                                .query_segments = queries,
                                .corpus_segments = documents,
                                .begin = 0,
                                .count = queries.count,
                                .depth = 1 + seed % 7,
                                .bound_factor = 1.0,
                                .rows = {.words = rows.data()},
                                .of_query = of_query},
                               job);
    };
    const auto answers = answers_of(scans, 1 + seed % 3), expected = answers_of(naive, 1);
    bool right = answers.size() == expected.size();
    for (std::size_t i = 0; right && i < expected.size(); ++i)
      right = same(answers[i].best, expected[i].best);
    check(right, what + ", " + scene.name);
  }
}

// Rows that are left out ask nothing: a join of both sides serves the others.
void test_silent_rows(Scans& scans, const std::string& what) {
  Dice dice(4);
  NaiveScans naive;
  const Rows queries = random_rows(0, 800, 3, dice), rows = random_rows(0, 900, 3, dice);
  const Words words = some_filter(900, dice);
  const RowFilter filter{.words = words.data()};
  const auto ways = [&](Scans& asked) {
    const Job job = job_of(2);
    const Sides there(asked, Metric::dot, queries, rows, true, job);
    const Sides back(asked, Metric::dot, rows, queries, true, job);
    std::vector<ScanQuery> forth, reverse;
    for (Index i = 0; i < 800; ++i) forth.push_back({.query = i, .depth = 5});
    for (Index i = 0; i < 900; ++i)
      reverse.push_back({.query = i, .depth = filter.holds(i) ? 5 : 0});
    const auto request = [](const Sides& sides, const auto& questions, RowFilter of) {
      return ScanRequest{.queries = *sides.queries,
                         .asked = questions,
                         .groups = Groups::off,
                         .corpus_groups = nullptr,
                         .counted = false,
                         .bound_factor = 1.0,
                         .filter = of};
    };
    return asked.column_top(request(there, forth, filter), request(back, reverse, {}), job);
  };
  const auto found = ways(scans), expected = ways(naive);
  bool right = true;
  for (std::size_t i = 0; i < expected.queries.size(); ++i)
    right = right && same(found.queries[i].admissible, expected.queries[i].admissible);
  for (std::size_t i = 0; i < expected.rows.size(); ++i)
    right = right && same(found.rows[i].admissible, expected.rows[i].admissible) &&
            (filter.holds(static_cast<Index>(i)) || found.rows[i].admissible.empty());
  check(right, what);
}

void row_filter_suite(Scans& scans, const std::string& name, Index scenes) {
  test_rankings(scans, name + ", filtered", scenes);
  test_log_sums(scans, name + ", filtered sums", scenes / 4);
  test_both_ways(scans, name + ", filtered both ways");
  test_segments(scans, name + ", filtered segments", scenes / 4);
  test_silent_rows(scans, name + ", rows that ask nothing");
}

}  // namespace

int main(int argc, char** argv) {
  gemmine::set_pool_threads(3);
  each_scans(argc > 1 ? std::atol(argv[1]) : 200, row_filter_suite);
  const int status = report("row filters");
  gemmine::stop_pool();
  return status;
}
