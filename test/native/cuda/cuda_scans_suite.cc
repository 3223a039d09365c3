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

// An operation on near rows, with the bound times a factor: how many answers are wrong.
using Search = Index (*)(Metric metric, const Rows& rows, double bound_factor);

struct BothScans {
  BothScans(Metric metric, const Rows& rows, double bound_factor)
      : scans(emulated_device()),
        sides((scans.bound_factor = bound_factor, scans), metric, rows, rows, true, job),
        plain(naive, metric, rows, rows, true, job) {}
  const Job job = job_of(2);
  EmulatedScans scans;
  NaiveScans naive;
  Sides sides;
  Sides plain;
};

Index wrong_rankings(const std::vector<Ranking>& found, const std::vector<Ranking>& expected,
                     Index step) {
  Index wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    wrong += !same(found[i * step].admissible, expected[i].admissible);
  return wrong;
}

constexpr Index looked_at = 10;  // the step between compared rows

Questions best_twenty(Index rows, Index step) {
  Questions questions{.asked = {}, .barred = {}, .corpus_groups = {}};
  for (Index query = 0; query < rows; query += step)
    questions.asked.push_back({.query = query, .depth = 20});
  return questions;
}

Index wrong_scans(Metric metric, const Rows& rows, double bound_factor) {
  BothScans both(metric, rows, bound_factor);
  const Questions questions = best_twenty(rows.rows, looked_at);
  return wrong_rankings(both.scans.scan(questions.of(*both.sides.queries), both.job),
                        both.naive.scan(questions.of(*both.plain.queries), both.job), 1);
}

// Of the rows that ask for queries.
Index wrong_columns(Metric metric, const Rows& rows, double bound_factor) {
  BothScans both(metric, rows, bound_factor);
  const Questions all = best_twenty(rows.rows, 1), some = best_twenty(rows.rows, looked_at);
  const auto found =
      both.scans.column_top(all.of(*both.sides.queries), all.of(*both.sides.queries), both.job);
  return wrong_rankings(found.rows, both.naive.scan(some.of(*both.plain.queries), both.job),
                        looked_at);
}

Index wrong_documents(Metric metric, const Rows& rows, double bound_factor) {
  BothScans both(metric, rows, bound_factor);
  std::vector<std::int32_t> starts;
  for (std::int32_t start = 0; start <= rows.rows; start += 3) starts.push_back(start);
  const gemmine::Segments segments{starts.data(), std::ssize(starts) - 1};
  const auto answer = [&](gemmine::Scans& scans, const Sides& sides) {
    return scans.segment_max({.queries = *sides.queries,
                              .query_segments = segments,
                              .corpus_segments = segments,
                              .begin = 0,
                              .count = 30,
                              .depth = 10,
                              .bound_factor = 1.0},
                             both.job);
  };
  const auto found = answer(both.scans, both.sides), expected = answer(both.naive, both.plain);
  Index wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) wrong += !same(found[i].best, expected[i].best);
  return wrong;
}

void the_bound_is_needed_and_enough(Search search, const std::string& what) {
  for (const Metric metric : metrics) {
    Index without = 0, beyond = 0;
    for (const Index kind : {0, 1}) {
      const Rows rows = near_rows(kind, 64);
      const std::string name =
          what + ", " + name_of(metric) + ", near rows " + std::to_string(kind);
      check(search(metric, rows, 1) == 0, name);
      emulation::product_error = 1;
      check(search(metric, rows, 1) == 0, name + ", worst products");
      emulation::product_error = 20;
      beyond += search(metric, rows, 1);
      emulation::product_error = 0;
      without += search(metric, rows, 0);
    }
    std::printf("%s, %s: %ld wrong without the bound, %ld with 20 times the error it allows\n",
                what.c_str(), name_of(metric), static_cast<long>(without),
                static_cast<long>(beyond));
    check(without > 0, what + " without the bound, " + name_of(metric));
    check(beyond > 0, what + ", products beyond the bound, " + name_of(metric));
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
  the_bound_is_needed_and_enough(wrong_scans, "scans");
  the_bound_is_needed_and_enough(wrong_columns, "both sides");
  the_bound_is_needed_and_enough(wrong_documents, "documents");
  classes_are_counted_once(scenes);
  mining(scenes);
  check_emulation("scans");
  const int status = report("cuda scans");
  gemmine::stop_pool();
  return status;
}
