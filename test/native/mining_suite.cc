// mine compared with brute force: every rule, alone and with others, with ties and duplicates.
#include "check.h"
#include "core/pool.h"
#include "mining_runs.h"
#include "scans_devices.h"

using namespace test;

namespace {

void test_random_mining(Index scenes) {
  TrialScans backend;
  Index fallback = 0, queries = 0;
  for (Index seed = 0; seed < scenes; ++seed) {
    const MineScene scene = mine_scene(seed);
    backend.piece = 0;
    backend.format = &gemmine::cpu::first_format();
    const Mined mined = run_mine(backend, scene, seed % 2 == 0, 1 + seed % 3);
    fallback += mined.result.proof.fallback;
    queries += scene.queries.rows;
    check(mined_agrees(mined, scene),
          "mine, scene " + std::to_string(seed) + ", " + name_of(scene.metric));
    backend.piece = 1 + seed % 9;
    backend.format = &gemmine::cpu::finest_format();
    check(same_answers(mined, run_mine(backend, scene, seed % 2 != 0, 1 + (seed + 1) % 3)),
          "same bits for other threads, requests and formats, scene " + std::to_string(seed));
  }
  std::printf("mine: %ld scenes, %ld queries, %ld fell back\n", static_cast<long>(scenes),
              static_cast<long>(queries), static_cast<long>(fallback));
}

// Mining needs nothing of a device's memory but what scans answer.
void test_mining_on(gemmine::Scans& scans, const std::string& name, Index scenes) {
  for (Index seed = 0; seed < scenes; ++seed) {
    const MineScene scene = mine_scene(seed);
    check(mined_agrees(run_mine(scans, scene, true, 1), scene),
          "mine, " + name + ", scene " + std::to_string(seed));
  }
}

void test_guarded_mining(Index scenes) {
  GuardedScans guarded;
  test_mining_on(guarded, "guarded memory", scenes);
}

// The rules of other scenes, on the lists of this one.
std::vector<MineOptions> some_sweep(const MineScene& scene, Index seed) {
  std::vector<MineOptions> sweep{options_of(scene)};
  for (Index i = 1; i <= 3; ++i) {
    const MineOptions rules = mine_scene(seed + 1000 * i).options;
    MineOptions each = sweep.front();
    each.num_negatives = rules.num_negatives;
    each.rules = rules.rules;
    each.min_score = rules.min_score;
    each.reference = rules.reference;
    each.skip_ranks = rules.skip_ranks;
    each.max_rank = rules.max_rank;
    each.max_positive_rank = rules.max_positive_rank;
    each.skip_survivors = rules.skip_survivors;
    // The rules may be those of another metric.
    each.sampling = rules.sampling == gemmine::Sampling::distance_weighted
                        ? gemmine::Sampling::weighted
                        : rules.sampling;
    each.pool = std::max(rules.pool, rules.num_negatives);
    each.numbers = rules.numbers;
    each.caps = rules.caps;
    if (each.beside && !Chosen::is_pooled(each.sampling)) each.sampling = gemmine::Sampling::random;
    each.seed = rules.seed + static_cast<std::uint64_t>(i);
    each.explain = rules.explain;
    sweep.push_back(each);
  }
  return sweep;
}

void test_sweeps(Index scenes) {
  TrialScans backend;
  for (Index seed = 0; seed < scenes; ++seed) {
    const MineScene scene = mine_scene(seed);
    const auto sweep = some_sweep(scene, seed);
    const auto together = run_sweep(backend, scene, sweep, seed % 2 == 0, 1 + seed % 3);
    bool same = true;
    for (std::size_t i = 0; i < sweep.size(); ++i)
      same = same && same_answers(together[i], run_sweep(backend, scene, {sweep[i]}, true, 2)[0]);
    check(same, "every answer of a sweep is that of its own run, scene " + std::to_string(seed));
  }
}

void test_mining_needs_the_bound(const gemmine::cpu::ScanFormat& format,
                                 gemmine::Sampling sampling) {
  TrialScans backend;
  backend.format = &format;
  backend.bound_factor = 0;
  Index wrong = 0;
  for (Index seed = 0; seed < 40; ++seed) {
    MineScene scene = mine_scene(seed);
    Dice dice(seed);
    scene.corpus = twins(scene.corpus.rows, scene.corpus.d, dice);
    scene.queries = scene.options.self.same ? scene.corpus : scene.queries;
    scene.candidates.reset();  // which are scored without a bound
    scene.options.beside = false;
    scene.options.sampling = sampling;
    if (sampling == gemmine::Sampling::band) scene.options.max_rank.reset();  // or nothing is drawn
    wrong += !mined_agrees(run_mine(backend, scene, true, 2), scene);
  }
  std::printf("mine in %s without the bound: %ld of 40 scenes wrong\n", format.name,
              static_cast<long>(wrong));
  check(wrong > 5, std::string("without the bound mining fails in ") + format.name);
}

// ---- Sampling

// Two rows of a band of six, for many queries that score all rows alike: each of the 15 pairs has
// the same chance.
void test_band(MineScene scene) {
  constexpr Index queries = 2000, rows = 20;
  scene.metric = Metric::dot;
  scene.queries = {queries, 1, std::vector<float>(queries, 1.0f)};
  scene.corpus = {rows, 1, std::vector<float>(rows)};
  for (Index row = 0; row < rows; ++row) scene.corpus.values[row] = static_cast<float>(row);
  scene.positives = Lists(std::vector<std::vector<std::int32_t>>(queries, {19}));
  scene.options.sampling = gemmine::Sampling::band;
  scene.options.num_negatives = 2;
  scene.options.min_score = 7;
  scene.options.rules.max_score = 12;
  TrialScans backend;
  const Mined mined = run_mine(backend, scene, true, 2);
  double pairs[rows][rows] = {};
  for (Index query = 0; query < queries; ++query)
    ++pairs[mined.indices[2 * query]][mined.indices[2 * query + 1]];
  double chi_square = 0, all = 0;
  for (Index better = 7; better <= 12; ++better)
    for (Index worse = 7; worse < better; ++worse) {
      const double expected = queries / 15.0, gap = pairs[better][worse] - expected;
      chi_square += gap * gap / expected;
      all += pairs[better][worse];
    }
  check(all == queries, "two different rows of the band, best first");
  check(chi_square < 36.1, "every pair has the same chance");  // 1 in 1000 beyond, 14 degrees
  bool ranked = true;
  for (Index i = 0; i < 2 * queries; ++i) ranked &= mined.ranks[i] == 18 - mined.indices[i];
  check(ranked, "drawn rows have their raw ranks");
}

// 2000 queries that draw 4 of the 40 best rows.
MineScene draw_scene() {
  MineScene scene = mine_scene(1);
  Dice dice(4);
  scene.metric = Metric::cosine;
  scene.queries = random_rows(0, 2000, 8, dice);
  scene.corpus = random_rows(0, 300, 8, dice);
  std::vector<std::vector<std::int32_t>> positives(2000);
  for (Index i = 0; i < 2000; ++i) positives[i] = {static_cast<std::int32_t>(i % 300)};
  scene.positives = Lists(positives);
  scene.excluded = Lists(std::vector<std::vector<std::int32_t>>(2000));
  scene.query_texts.clear();
  scene.candidates.reset();
  scene.options = MineOptions{.all_queries = 2000,
                              .first_query = 0,
                              .num_negatives = 4,
                              .rules = {},
                              .min_score = {},
                              .reference = gemmine::Reference::min,
                              .skip_ranks = 0,
                              .max_rank = {},
                              .max_positive_rank = {},
                              .skip_survivors = 0,
                              .sampling = gemmine::Sampling::random,
                              .pool = 40,
                              .numbers = scene.options.numbers,
                              .caps = {.near_duplicate_score = {}, .hub_cap = {}},
                              .seed = 1,
                              .self = {.same = false, .rows = nullptr},
                              .positives = {},
                              .positives_scored = false,
                              .exclude = {},
                              .near_positive_score = {},
                              .candidates = std::nullopt,
                              .beside = false,
                              .groups = Groups::off,
                              .query_groups = nullptr,
                              .corpus_groups = nullptr,
                              .texts = {nullptr, nullptr},
                              .explain = 0};
  return scene;
}

void test_draws() {
  MineScene scene = draw_scene();
  TrialScans backend;
  const Mined mined = run_mine(backend, scene, true, 2);
  std::vector<double> places(40);
  Index together = 0;
  bool ascending = true;
  for (Index query = 0; query < 2000; ++query)
    for (Index i = 0; i < 4; ++i) {
      const Index at = query * 4 + i;
      ++places[mined.ranks[at]];
      if (i == 0) continue;
      ascending &= mined.ranks[at] > mined.ranks[at - 1];
      together += mined.ranks[at] == mined.ranks[at - 1] + 1;
    }
  double chi_square = 0;
  for (const double each : places) chi_square += (each - 200) * (each - 200) / 200;
  check(ascending, "drawn rows stand best first");
  check(chi_square < 90, "every place has the same chance");
  const double expected = 2000 * 39 * (4.0 * 3) / (40 * 39);
  near(static_cast<double>(together), expected, 5 * std::sqrt(expected),
       "neighbours come together");
  scene.options.sampling = gemmine::Sampling::top1_random;
  const Mined first = run_mine(backend, scene, false, 3);
  bool kept = true;
  for (Index query = 0; query < 2000; ++query) kept &= first.ranks[query * 4] == 0;
  check(kept, "top1-random keeps the best");
  test_band(scene);
}

}  // namespace

int main(int argc, char** argv) {
  gemmine::set_pool_threads(3);
  const Index scenes = argc > 1 ? std::atol(argv[1]) : 300;
  on_chosen_device(
      [&](const std::string& name) { test_mining_on(gemmine::scans_for(name), name, scenes); });
  test_random_mining(scenes);
  if (!thread_sanitizer) test_guarded_mining((scenes + 4) / 5);
  on_emulated_scans(scenes, test_mining_on);
  test_sweeps(scenes / 10);
  for (const auto* format : {&gemmine::cpu::first_format(), &gemmine::cpu::finest_format()})
    for (const auto sampling : {gemmine::Sampling::top, gemmine::Sampling::band})
      test_mining_needs_the_bound(*format, sampling);
  test_draws();
  const int status = report("mining");
  gemmine::stop_pool();
  return status;
}
