#pragma once

#include <string>
#include <vector>

#include "check.h"
#include "scan_scenes.h"

// Random questions for every kind of scan, and whether the answers are those of the naive scan.
namespace test {

using gemmine::every_row;
using gemmine::Groups;
using gemmine::Scans;

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

inline void bar_some_rows(Questions& questions, const Scene& scene, Dice& dice) {
  const Index rows = scene.right().rows;
  questions.barred.resize(questions.asked.size());
  for (std::size_t i = 0; i < questions.asked.size(); ++i) {
    questions.barred[i] = some_rows(dice.below(std::min<Index>(rows, 20)), rows, dice);
    questions.asked[i].barred = questions.barred[i];
  }
}

// Rows drawn beside the best ones or without any, or rows counted alone.
inline void ask_for_draw(ScanQuery& asked, Index rows, Dice& dice) {
  if (dice.chance(2)) asked.depth = 0;
  if (dice.chance(3))
    asked.reference_row = static_cast<std::int32_t>(dice.below(rows));
  else
    asked.draw = {.count = 1 + dice.below(std::min<Index>(rows, 9)),
                  .seed = static_cast<std::uint64_t>(dice.below(3)),
                  .query = static_cast<std::uint64_t>(1000 + asked.query)};
}

// Whole rankings, with everything that a query can ask at once.
inline Questions ask_for_top(const Scene& scene, Dice& dice) {
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
inline Questions ask_repeatedly(const Scene& scene, Dice& dice) {
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
inline Questions ask_for_above(const Scene& scene, Dice& dice) {
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

inline std::vector<gemmine::Level> levels_of(const Questions& questions, const ScanQuery& query) {
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
inline Questions ask_of_itself(const Scene& scene, Dice& dice) {
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

inline void test_rankings(Scans& scans, const std::string& what, Ask ask, bool self, Index scenes) {
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

inline void scans_suite(Scans& scans, const std::string& name, Index scenes) {
  test_rankings(scans, name + ", top", ask_for_top, false, scenes);
  test_rankings(scans, name + ", several questions", ask_repeatedly, false, scenes / 2);
  test_rankings(scans, name + ", above", ask_for_above, false, scenes);
  test_rankings(scans, name + ", self-join", ask_of_itself, true, scenes);
}

}  // namespace test
