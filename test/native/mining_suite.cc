// mine compared with brute force: every rule, alone and with others, with ties and duplicates.
#include "backend/cpu/pool.h"
#include "check.h"
#include "mining_scenes.h"
#include "trial_scans.h"

using namespace test;
using gemmine::Groups;
using gemmine::MineOptions;

namespace {

struct MineScene {
  Metric metric;
  Rows queries;
  Rows corpus;
  Lists positives;
  Lists excluded;
  std::optional<Lists> candidates;
  std::vector<std::int32_t> query_groups, corpus_groups, query_texts, corpus_texts;
  MineOptions options;
};

std::vector<std::int32_t> labels(Index count, Index limit, Dice& dice) {
  std::vector<std::int32_t> made(count);
  for (auto& each : made) each = static_cast<std::int32_t>(dice.below(limit)) - 1;
  return made;
}

template <class T>
std::optional<T> maybe(Dice& dice, Index one_in, T value) {
  return dice.chance(one_in) ? std::optional<T>(value) : std::nullopt;
}

// A level near the scores there are, sometimes exactly one of them.
double some_level(Metric metric, const Rows& queries, const Rows& corpus, Dice& dice) {
  const double score = plain_score(metric, queries.row(dice.below(queries.rows)),
                                   corpus.row(dice.below(corpus.rows)), corpus.d);
  return dice.chance(2) ? score : score * (0.5 + dice.uniform());
}

MineScene mine_scene(Index seed) {
  Dice dice(1000 + seed);
  const Index ds[] = {1, 5, 8, 17, 24, 64};
  const Index d = ds[dice.below(6)];
  const Index nc = 1 + dice.below(dice.chance(5) ? 1500 : 150);
  const bool self = dice.chance(3);
  const Index nq = self ? nc : 1 + dice.below(40);
  const Index kind = dice.chance(2) ? dice.below(2) : dice.below(kinds);
  const auto metric = metrics[dice.below(3)];
  Rows corpus = random_rows(kind, nc, d, dice);
  Rows queries = self ? corpus : random_rows(kind, nq, d, dice);
  std::vector<std::vector<std::int32_t>> positives(nq), excluded(nq);
  for (auto& each : positives) each = some_rows(dice.below(4), nc, dice);
  if (dice.chance(2))
    for (auto& each : excluded) each = some_rows(dice.below(std::min<Index>(nc, 20)), nc, dice);
  const bool grouped = dice.chance(2), texts = !dice.chance(3);
  const Index text_counts[] = {2, 5, std::max<Index>(2, nc / 3), nc + 1};
  const Index text_count = text_counts[dice.below(4)];
  MineScene scene{.metric = metric,
                  .queries = queries,
                  .corpus = corpus,
                  .positives = Lists(positives),
                  .excluded = Lists(excluded),
                  .candidates = std::nullopt,
                  .query_groups = labels(nq, 4, dice),
                  .corpus_groups = labels(nc, 4, dice),
                  .query_texts = labels(nq, std::max(text_count, nq / 2), dice),
                  .corpus_texts = labels(nc, text_count, dice),
                  .options = {}};
  const Index k = 1 + dice.below(std::min<Index>(nc, 12));
  const double level = some_level(metric, queries, corpus, dice);
  const double margin = std::abs(level) * dice.uniform();
  scene.options = MineOptions{
      .all_queries = nq,
      .first_query = 0,
      .num_negatives = k,
      .rules = {.max_score = maybe(dice, 2, level),
                .absolute_margin = maybe(dice, 3, dice.chance(3) ? 0.0 : margin),
                .relative_margin = maybe(dice, 2, dice.chance(3) ? 0.0 : dice.uniform() * 0.5)},
      .min_score = maybe(dice, 3, some_level(metric, queries, corpus, dice)),
      .reference = static_cast<gemmine::Reference>(dice.below(3)),
      .skip_ranks = dice.chance(3) ? dice.below(nc + 2) : 0,
      .max_rank = maybe(dice, 3, 1 + dice.below(nc)),
      .max_positive_rank = maybe(dice, 4, 1 + dice.below(nc)),
      .skip_survivors = dice.chance(3) ? dice.below(12) : 0,
      .sampling = gemmine::Sampling::top,
      .pool = k,
      .seed = 3,
      .self = {.same = self && dice.chance(2), .rows = nullptr},
      .positives = {},
      .exclude = {},
      .candidates = std::nullopt,
      .groups = grouped ? (dice.chance(2) ? Groups::different : Groups::same) : Groups::off,
      .query_groups = nullptr,
      .corpus_groups = nullptr,
      .texts = {nullptr, nullptr},
      .explain = dice.chance(2) ? (dice.chance(3) ? nc : dice.below(15)) : 0};
  if (!texts) scene.query_texts.clear();
  if (dice.chance(3)) {
    std::vector<std::vector<std::int32_t>> candidates(nq);
    for (auto& each : candidates)
      each = some_rows(dice.below(dice.chance(2) ? 2 * nc : 20), nc, dice);
    scene.candidates = Lists(candidates);
  }
  return scene;
}

struct Mined {
  std::vector<std::int32_t> indices, counts, ranks;
  std::vector<float> scores;
  std::vector<double> positive_scores;
  gemmine::MinedCounts result;
};

// The options borrow from the scene only here, so that scenes can be moved.
MineOptions options_of(const MineScene& scene) {
  MineOptions options = scene.options;
  options.positives = scene.positives.view();
  options.exclude = scene.excluded.view();
  if (scene.candidates) options.candidates = scene.candidates->view();
  options.query_groups = scene.query_groups.data();
  options.corpus_groups = scene.corpus_groups.data();
  if (!scene.query_texts.empty())
    options.texts = {scene.query_texts.data(), scene.corpus_texts.data()};
  return options;
}

Mined run_mine(TrialScans& backend, const MineScene& scene, bool keep, Index threads) {
  const Job job = job_of(threads);
  const Index nq = scene.queries.rows, size = nq * scene.options.num_negatives;
  Mined mined{.indices = std::vector<std::int32_t>(size),
              .counts = std::vector<std::int32_t>(nq),
              .ranks = std::vector<std::int32_t>(size),
              .scores = std::vector<float>(size),
              .positive_scores = std::vector<double>(scene.positives.indices.size()),
              .result = {}};
  const auto queries = source_of(scene.queries), corpus = source_of(scene.corpus);
  const auto handle = backend.prepare_corpus(*corpus, scene.metric, keep, job);
  mined.result = mine(backend, *queries, *handle, options_of(scene),
                      {mined.indices.data(), mined.scores.data(), mined.counts.data(),
                       mined.ranks.data(), mined.positive_scores.data()},
                      job);
  return mined;
}

bool negatives_agree(const Mined& mined, const MineScene& scene, Index query,
                     const ExpectedQuery& expected) {
  const Index k = scene.options.num_negatives;
  const auto count = std::min(k, static_cast<Index>(expected.found.size()));
  bool right = mined.counts[query] == count;
  for (Index i = 0; i < k; ++i) {
    const Index at = query * k + i;
    if (i >= count)
      right &= mined.indices[at] == -1 && mined.ranks[at] == -1 && std::isnan(mined.scores[at]);
    else
      right &= mined.indices[at] == expected.found[i].row &&
               mined.ranks[at] == expected.found[i].rank &&
               mined.scores[at] == static_cast<float>(expected.found[i].score);
  }
  return right;
}

bool rejected_agree(const gemmine::Rejected& got, Index at, Index query, Index explain,
                    const ExpectedQuery& expected) {
  if (at >= static_cast<Index>(got.queries.size()) || got.queries[at] != query) return false;
  const Index begin = got.indptr[at], count = got.indptr[at + 1] - begin;
  bool right = count == std::min(explain, static_cast<Index>(expected.rejected.size()));
  for (Index i = 0; i < count && right; ++i) {
    const Ranked& want = expected.rejected[i];
    right &= got.rows[begin + i] == want.row && got.rules[begin + i] == want.rule &&
             got.scores[begin + i] == want.score;
  }
  return right;
}

// Whether everything that `mine` hands out is what brute force says.
bool mined_agrees(const Mined& mined, const MineScene& scene) {
  const MineOptions options = options_of(scene);
  const Oracle oracle(scene.metric, scene.queries, scene.corpus, options, scene.positives,
                      scene.excluded);
  std::int64_t dropped[gemmine::rule_count] = {};
  Index inconsistent = 0, without = 0, mined_queries = 0;
  bool right = true;
  for (Index query = 0; query < scene.queries.rows; ++query) {
    const ExpectedQuery expected = oracle.answer(query);
    inconsistent += expected.inconsistent;
    without += scene.positives.of(query).empty();
    for (const Ranked& each : expected.rejected) ++dropped[each.rule];
    right &= negatives_agree(mined, scene, query, expected);
    if (options.explain > 0 && expected.mined)
      right &=
          rejected_agree(mined.result.rejected, mined_queries++, query, options.explain, expected);
    const auto known = scene.positives.of(query);
    for (std::size_t i = 0; i < known.size(); ++i)
      right &=
          mined.positive_scores[scene.positives.indptr[query] + i] == oracle.score(query, known[i]);
  }
  for (Index rule = 0; rule < gemmine::rule_count; ++rule)
    right &= mined.result.dropped[rule] == dropped[rule];
  const gemmine::MinedCounts& result = mined.result;
  return right && result.inconsistent == inconsistent &&
         result.queries_without_positives == without &&
         static_cast<Index>(result.rejected.queries.size()) == mined_queries &&
         result.proof.certified + result.proof.fallback == scene.queries.rows;
}

bool same_answers(const Mined& a, const Mined& b) {
  return a.indices == b.indices && a.ranks == b.ranks && a.counts == b.counts &&
         std::memcmp(a.scores.data(), b.scores.data(), a.scores.size() * sizeof(float)) == 0 &&
         a.result.rejected.rows == b.result.rejected.rows;
}

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

void test_mining_needs_the_bound(const gemmine::cpu::ScanFormat& format) {
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
    wrong += !mined_agrees(run_mine(backend, scene, true, 2), scene);
  }
  std::printf("mine in %s without the bound: %ld of 40 scenes wrong\n", format.name,
              static_cast<long>(wrong));
  check(wrong > 5, std::string("without the bound mining fails in ") + format.name);
}

// ---- Sampling

void test_draws() {
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
                              .seed = 1,
                              .self = {.same = false, .rows = nullptr},
                              .positives = {},
                              .exclude = {},
                              .candidates = std::nullopt,
                              .groups = Groups::off,
                              .query_groups = nullptr,
                              .corpus_groups = nullptr,
                              .texts = {nullptr, nullptr},
                              .explain = 0};
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
}

}  // namespace

int main(int argc, char** argv) {
  gemmine::cpu::set_pool_threads(3);
  test_random_mining(argc > 1 ? std::atol(argv[1]) : 300);
  for (const auto* format : {&gemmine::cpu::first_format(), &gemmine::cpu::finest_format()})
    test_mining_needs_the_bound(*format);
  test_draws();
  const int status = report("mining");
  gemmine::cpu::stop_pool();
  return status;
}
