// Every scan of every implementation, compared with the naive one: random questions on random, tied
// and degenerate rows. Implementations are in scans_devices.h.
#include "backend/cpu/join.h"
#include "check.h"
#include "core/pool.h"
#include "scan_scenes.h"
#include "scans_devices.h"

using namespace test;
using gemmine::every_row;
using gemmine::Groups;
using gemmine::Scans;

namespace {

// What a request points at.
struct Questions {
  std::vector<ScanQuery> asked;
  std::vector<std::vector<std::int32_t>> barred;
  std::vector<std::int32_t> corpus_groups;
  Groups groups = Groups::off;
  bool counted = false;

  ScanRequest of(const gemmine::QueryHandle& queries) const {
    return {.queries = queries,
            .asked = asked,
            .groups = groups,
            .corpus_groups = corpus_groups.data(),
            .classes = {},
            .counted = counted,
            .bound_factor = 1.0};
  }
};

void bar_some_rows(Questions& questions, const Scene& scene, Dice& dice) {
  const Index rows = scene.right().rows;
  questions.barred.resize(questions.asked.size());
  for (std::size_t i = 0; i < questions.asked.size(); ++i) {
    questions.barred[i] = some_rows(dice.below(std::min<Index>(rows, 20)), rows, dice);
    questions.asked[i].barred = questions.barred[i];
  }
}

// Rows drawn beside the best ones or without any, or rows counted alone.
void ask_for_draw(ScanQuery& asked, Index rows, Dice& dice) {
  if (dice.chance(2)) asked.depth = 0;
  if (dice.chance(3))
    asked.reference_row = static_cast<std::int32_t>(dice.below(rows));
  else
    asked.draw = {.count = 1 + dice.below(std::min<Index>(rows, 9)),
                  .seed = static_cast<std::uint64_t>(dice.below(3)),
                  .query = static_cast<std::uint64_t>(1000 + asked.query)};
}

// Whole rankings, with everything that a query can ask at once.
Questions ask_for_top(const Scene& scene, Dice& dice) {
  const Index rows = scene.right().rows;
  Questions questions{.asked = {}, .barred = {}, .corpus_groups = {}};
  questions.counted = dice.chance(2);
  const bool some = dice.chance(3);
  for (Index query = 0; query < scene.queries.rows; ++query) {
    if (some && dice.chance(3)) continue;
    ScanQuery asked{.query = query, .depth = 1 + dice.below(std::min<Index>(rows, 20))};
    if (questions.counted && dice.chance(2)) asked.ceiling = some_score(scene, dice);
    if (questions.counted && dice.chance(3)) asked.reference = some_score(scene, dice);
    if (questions.counted && dice.chance(3)) asked.rejected_depth = dice.below(6);
    if (dice.chance(3)) asked.floor = some_score(scene, dice);
    if (questions.counted && dice.chance(3)) ask_for_draw(asked, rows, dice);
    asked.group = static_cast<std::int32_t>(dice.below(4)) - 1;
    questions.asked.push_back(asked);
  }
  if (dice.chance(2)) bar_some_rows(questions, scene, dice);
  if (questions.counted && dice.chance(3)) {
    questions.groups = dice.chance(2) ? Groups::different : Groups::same;
    for (Index row = 0; row < rows; ++row)
      questions.corpus_groups.push_back(static_cast<std::int32_t>(dice.below(4)) - 1);
  }
  return questions;
}

// Several questions about some of the queries.
Questions ask_repeatedly(const Scene& scene, Dice& dice) {
  const Questions once = ask_for_top(scene, dice), again = ask_for_top(scene, dice);
  Questions questions{.asked = {}, .barred = {}, .corpus_groups = once.corpus_groups};
  questions.counted = once.counted && again.counted;
  questions.groups = once.groups;
  for (const ScanQuery& each : once.asked) {
    questions.asked.push_back(each);
    questions.asked.back().barred = {};
    for (const ScanQuery& other : again.asked)
      for (Index times = other.query == each.query ? dice.below(5) : 0; times > 0; --times) {
        questions.asked.push_back(other);
        questions.asked.back().barred = {};
        questions.asked.back().depth += times;
      }
  }
  if (!questions.counted) {
    questions.groups = Groups::off;
    for (ScanQuery& each : questions.asked)
      each = {.query = each.query, .depth = each.depth, .floor = each.floor};
  }
  if (dice.chance(2)) bar_some_rows(questions, scene, dice);
  return questions;
}

// All rows at a threshold or above it, and for some queries the best of them.
Questions ask_for_above(const Scene& scene, Dice& dice) {
  Questions questions{.asked = {}, .barred = {}, .corpus_groups = {}};
  const double floor = some_score(scene, dice);
  const bool limited = dice.chance(3);
  for (Index query = 0; query < scene.queries.rows; ++query)
    questions.asked.push_back({.query = query,
                               .depth = limited ? 1 + dice.below(5) : every_row,
                               .floor = dice.chance(4) ? some_score(scene, dice) : floor});
  if (dice.chance(2)) bar_some_rows(questions, scene, dice);
  return questions;
}

std::vector<gemmine::Level> levels_of(const Questions& questions, const ScanQuery& query) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<gemmine::Level> levels;
  if (!questions.counted) return levels;
  if (query.ceiling < infinity) levels.push_back(gemmine::ceiling_level);
  if (query.floor > -infinity) levels.push_back(gemmine::floor_level);
  if (query.reference < infinity) levels.push_back(gemmine::reference_level);
  return levels;
}

// What a corpus is asked against itself: each row for its neighbours, or for all rows that are
// near.
Questions ask_of_itself(const Scene& scene, Dice& dice) {
  Questions questions{.asked = {}, .barred = {}, .corpus_groups = {}};
  const bool floored = dice.chance(2);
  const double floor = some_score(scene, dice);
  const bool every = floored && dice.chance(2);
  const Index depth = 1 + dice.below(std::min<Index>(scene.queries.rows, 30));
  for (Index query = 0; query < scene.queries.rows; ++query) {
    questions.asked.push_back({.query = query, .depth = every ? every_row : depth});
    if (floored) questions.asked.back().floor = floor;
  }
  if (dice.chance(2)) bar_some_rows(questions, scene, dice);
  return questions;
}

using Ask = Questions (*)(const Scene&, Dice&);

void test_rankings(Scans& scans, const std::string& what, Ask ask, bool self, Index scenes) {
  NaiveScans naive;
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(7000 + seed);
    const Scene scene = random_scene(seed, dice, self || dice.chance(3));
    const Questions questions = ask(scene, dice);
    const Job job = job_of(1 + dice.below(3));
    const Sides sides(scans, scene.metric, scene.queries, scene.right(), dice.chance(2), job);
    const Sides plain(naive, scene.metric, scene.queries, scene.right(), true, job);
    const auto rankings = scans.scan(questions.of(*sides.queries), job);
    const auto expected = naive.scan(questions.of(*plain.queries), job);
    bool right = rankings.size() == expected.size();
    for (std::size_t i = 0; right && i < expected.size(); ++i) {
      right = same(rankings[i].admissible, expected[i].admissible) &&
              same(rankings[i].drawn, expected[i].drawn) &&
              (questions.asked[i].rejected_depth == 0 ||
               same(rankings[i].rejected, expected[i].rejected));
      for (const gemmine::Level level : levels_of(questions, questions.asked[i]))
        right = right && rankings[i].above[level] == expected[i].above[level];
    }
    check(right, what + ", " + scene.name);
  }
}

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

void scans_suite(Scans& scans, const std::string& name, Index scenes) {
  test_rankings(scans, name + ", top", ask_for_top, false, scenes);
  test_rankings(scans, name + ", several questions", ask_repeatedly, false, scenes / 2);
  test_rankings(scans, name + ", above", ask_for_above, false, scenes);
  test_rankings(scans, name + ", self-join", ask_of_itself, true, scenes);
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
