// Scans on the emulated GPU: answers with the bits of the naive scan, also when products have the
// worst error that the bound allows, and memory that is given back whatever fails.
#include "core/pool.h"
#include "emulated_scans.h"
#include "mining_runs.h"
#include "scan_questions.h"

using namespace test;

namespace {

constexpr bool sanitized = thread_sanitizer || address_sanitizer;

// Rows whose scores are nearer to each other than a scan can tell.
Rows near_rows(Index kind, Index d) {
  Dice dice(6);
  if (kind == 0) return twins(300, d, dice);
  // As far away in both directions: no centre helps.
  Rows rows = random_rows(3, 300, d, dice);
  for (Index i = 0; i < rows.rows; i += 2)
    for (Index t = 0; t < d; ++t) rows.values[i * d + t] -= 2e4f;
  return rows;
}

struct Outcome {
  Index wrong = 0;
  Index rescanned = 0;
};

// The best rows of near rows for each other, with the bound times a factor.
Outcome search_near_rows(Metric metric, Index kind, double bound_factor) {
  EmulatedScans scans(emulated_device());
  NaiveScans naive;
  scans.bound_factor = bound_factor;
  const Rows rows = near_rows(kind, 64);
  const Job job = job_of(2);
  const Sides sides(scans, metric, rows, rows, true, job);
  const Sides plain(naive, metric, rows, rows, true, job);
  Questions questions{.asked = {}, .barred = {}, .corpus_groups = {}};
  for (Index query = 0; query < rows.rows; query += 10)
    questions.asked.push_back({.query = query, .depth = 20});
  const auto found = scans.scan(questions.of(*sides.queries), job);
  const auto expected = naive.scan(questions.of(*plain.queries), job);
  Outcome outcome;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    outcome.wrong += !same(found[i].admissible, expected[i].admissible);
    outcome.rescanned += found[i].rescanned;
  }
  return outcome;
}

void the_bound_is_needed_and_enough() {
  for (const Metric metric : metrics) {
    Index without = 0, beyond = 0;
    for (const Index kind : {0, 1}) {
      const std::string name = std::string(name_of(metric)) + ", near rows " + std::to_string(kind);
      check(search_near_rows(metric, kind, 1).wrong == 0, name);
      emulation::product_error = 1;
      check(search_near_rows(metric, kind, 1).wrong == 0, name + ", worst products");
      emulation::product_error = 20;
      beyond += search_near_rows(metric, kind, 1).wrong;
      emulation::product_error = 0;
      without += search_near_rows(metric, kind, 0).wrong;
    }
    std::printf("%s: %ld wrong without the bound, %ld with 20 times the error it allows\n",
                name_of(metric), static_cast<long>(without), static_cast<long>(beyond));
    check(without > 0, std::string("without the bound, ") + name_of(metric));
    check(beyond > 0, std::string("products beyond the bound, ") + name_of(metric));
  }
}

// Products with the worst error, on all kinds of questions.
void random_questions_with_the_worst_products(Index scenes) {
  emulation::product_error = 1;
  {
    EmulatedScans scans(emulated_device());
    test_rankings(scans, "worst products", ask_for_top, false, scenes);
  }
  emulation::product_error = 0;
}

// Rows in classes of three: counts of classed rows are the host's, all others the device's.
void classes_are_counted_once(Index scenes) {
  EmulatedScans scans(emulated_device());
  NaiveScans naive;
  const Job job = job_of(2);
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(400 + seed);
    const Scene scene = random_scene(seed, dice, false);
    const auto rows = static_cast<std::int32_t>(scene.corpus.rows);
    std::vector<std::int32_t> of(rows, -1), members;
    std::vector<std::uint32_t> shared((rows + 31) / 32);
    std::vector<Index> starts{0};
    for (std::int32_t first = 0; first + 3 <= rows; first += 5) {
      for (std::int32_t row = first; row < first + 3; ++row) {
        of[row] = static_cast<std::int32_t>(starts.size()) - 1;
        shared[row / 32] |= 1u << (row % 32);
        members.push_back(row);
      }
      starts.push_back(static_cast<Index>(members.size()));
    }
    Questions questions = ask_for_top(scene, dice);
    questions.counted = true;
    for (ScanQuery& each : questions.asked) {
      each.ceiling = some_score(scene, dice);
      each.reference = some_score(scene, dice);
      each.draw = {};
    }
    const Sides sides(scans, scene.metric, scene.queries, scene.corpus, true, job);
    const Sides plain(naive, scene.metric, scene.queries, scene.corpus, true, job);
    const auto with_classes = [&](const Sides& both) {
      ScanRequest request = questions.of(*both.queries);
      request.classes = {.count = static_cast<std::int32_t>(starts.size()) - 1,
                         .of = of.data(),
                         .shared = shared.data(),
                         .starts = starts.data(),
                         .rows = members.data()};
      return request;
    };
    const auto found = scans.scan(with_classes(sides), job);
    const auto expected = naive.scan(with_classes(plain), job);
    bool right = true;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      right = right && same(found[i].admissible, expected[i].admissible);
      for (const gemmine::Level level : levels_of(questions, questions.asked[i]))
        right = right && found[i].above[level] == expected[i].above[level];
    }
    check(right, "rows with classes, " + scene.name);
  }
}

void mining(Index scenes) {
  EmulatedScans scans(emulated_device());
  for (Index seed = 0; seed < scenes; ++seed) {
    const MineScene scene = mine_scene(seed);
    check(mined_agrees(run_mine(scans, scene, true, 1), scene),
          "mining, scene " + std::to_string(seed));
  }
}

}  // namespace

int main(int argc, char** argv) {
  gemmine::set_pool_threads(2);
  const Index asked = argc > 1 ? std::atol(argv[1]) : 12;
  const Index scenes = sanitized ? 6 : asked;
  std::printf("cuda:0 (host emulation): %ld scenes of each kind\n", static_cast<long>(scenes));
  for (const int eagerness : {0, 60}) {
    emulation::runtime_options.eagerness = eagerness;
    emulation::options.seed = 1 + static_cast<std::uint64_t>(eagerness);
    EmulatedScans scans(emulated_device());
    scans_suite(scans, "eagerness " + std::to_string(eagerness), scenes);
  }
  random_questions_with_the_worst_products(scenes);
  the_bound_is_needed_and_enough();
  classes_are_counted_once(scenes);
  mining(scenes);
  check_emulation("scans");
  const int status = report("cuda scans");
  gemmine::stop_pool();
  return status;
}
