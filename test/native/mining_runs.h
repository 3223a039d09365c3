#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "mining_oracle.h"
#include "mining_scenes.h"
#include "selection_oracle.h"
#include "trial_scans.h"

// Random jobs of mining, runs of them, and whether an answer is that of brute force.
namespace test {

using gemmine::Groups;
using gemmine::MineOptions;

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

inline std::vector<std::int32_t> labels(Index count, Index limit, Dice& dice) {
  std::vector<std::int32_t> made(count);
  for (auto& each : made) each = static_cast<std::int32_t>(dice.below(limit)) - 1;
  return made;
}

template <class T>
std::optional<T> maybe(Dice& dice, Index one_in, T value) {
  return dice.chance(one_in) ? std::optional<T>(value) : std::nullopt;
}

// A level near the scores there are, sometimes exactly one of them.
inline double some_level(Metric metric, const Rows& queries, const Rows& corpus, Dice& dice) {
  const double score = plain_score(metric, queries.row(dice.below(queries.rows)),
                                   corpus.row(dice.below(corpus.rows)), corpus.d);
  return dice.chance(2) ? score : score * (0.5 + dice.uniform());
}

inline gemmine::Sampling some_sampling(Metric metric, Dice& dice) {
  if (dice.chance(3)) return gemmine::Sampling::top;
  if (dice.chance(3)) return gemmine::Sampling::band;
  const auto any = gemmine::samplings[dice.below(gemmine::samplings.size())].second.sampling;
  // Its weights are those of cosines.
  if (any == gemmine::Sampling::distance_weighted && metric != Metric::cosine)
    return gemmine::Sampling::weighted;
  return any;
}

// The slow oracle bounds the sizes.
inline gemmine::Caps some_caps(Metric metric, const Rows& queries, const Rows& corpus, Dice& dice) {
  if (queries.rows > 150 || corpus.rows > 150) return {};
  return {.near_duplicate_score = maybe(dice, 3, some_level(metric, corpus, corpus, dice)),
          .hub_cap = maybe(dice, 4, 1 + dice.below(4))};
}

inline MineOptions random_options(Metric metric, const Rows& queries, const Rows& corpus, bool self,
                                  bool grouped, Dice& dice) {
  const Index nq = queries.rows, nc = corpus.rows;
  const Index k = 1 + dice.below(std::min<Index>(nc, 12));
  const double level = some_level(metric, queries, corpus, dice);
  const double margin = std::abs(level) * dice.uniform();
  return {.all_queries = nq,
          .first_query = 0,
          .num_negatives = k,
          .rules = {.max_score = maybe(dice, 2, level),
                    .absolute_margin = maybe(dice, 3, dice.chance(3) ? 0.0 : margin),
                    .relative_margin = maybe(dice, 2, dice.chance(3) ? 0.0 : dice.uniform() * 0.5)},
          .min_score = maybe(dice, 3, some_level(metric, queries, corpus, dice)),
          .reference = static_cast<gemmine::Reference>(dice.below(4)),
          .skip_ranks = dice.chance(3) ? dice.below(nc + 2) : 0,
          .max_rank = maybe(dice, 3, 1 + dice.below(nc)),
          .max_positive_rank = maybe(dice, 4, 1 + dice.below(nc)),
          .skip_survivors = dice.chance(3) ? dice.below(12) : 0,
          .sampling = some_sampling(metric, dice),
          .pool = k + dice.below(30),
          .numbers = {.temperature = 0.01 + dice.uniform(),
                      .simans_a = 9 * dice.uniform(),
                      .simans_b = dice.uniform() - 0.5,
                      .stride = 1 + dice.below(7),
                      .bins = 1 + dice.below(12),
                      .mmr_lambda = dice.uniform(),
                      .distance_cutoff = 0.1 + 0.8 * dice.uniform(),
                      .distance_limit = 1 + dice.uniform(),
                      .dimensions = corpus.d},
          .caps = some_caps(metric, queries, corpus, dice),
          .seed = 3,
          .self = {.same = self && dice.chance(2), .rows = nullptr},
          .positives = {},
          .positives_scored = false,
          .exclude = {},
          .near_positive_score = maybe(dice, 3, some_level(metric, corpus, corpus, dice)),
          .candidates = std::nullopt,
          .beside = false,
          .groups = grouped ? (dice.chance(2) ? Groups::different : Groups::same) : Groups::off,
          .query_groups = nullptr,
          .corpus_groups = nullptr,
          .texts = {nullptr, nullptr},
          .explain = dice.chance(2) ? (dice.chance(3) ? nc : dice.below(15)) : 0};
}

inline MineScene mine_scene(Index seed) {
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
  scene.options = random_options(metric, queries, corpus, self, grouped, dice);
  if (!texts) scene.query_texts.clear();
  if (dice.chance(3)) {
    std::vector<std::vector<std::int32_t>> candidates(nq);
    const bool large = dice.chance(2);
    for (auto& each : candidates) each = some_rows(dice.below(large ? 2 * nc : 12), nc, dice);
    scene.candidates = Lists(candidates);
    // Many ranks beside equal scores take long to count.
    scene.options.beside = Chosen::is_pooled(scene.options.sampling) && !large;
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
inline MineOptions options_of(const MineScene& scene) {
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

inline Mined arrays_for(const MineScene& scene, const MineOptions& options) {
  // Room for a list for each positive, and for each query without.
  const Index lists = options.reference == gemmine::Reference::each
                          ? scene.queries.rows + static_cast<Index>(scene.positives.indices.size())
                          : scene.queries.rows;
  const Index size = lists * options.num_negatives;
  return {.indices = std::vector<std::int32_t>(size),
          .counts = std::vector<std::int32_t>(lists),
          .ranks = std::vector<std::int32_t>(size),
          .scores = std::vector<float>(size),
          .positive_scores = std::vector<double>(scene.positives.indices.size()),
          .result = {}};
}

// One answer for each of some options, which have the lists of the scene.
inline std::vector<Mined> run_sweep(gemmine::Scans& backend, const MineScene& scene,
                                    const std::vector<MineOptions>& sweep, bool keep,
                                    Index threads) {
  const Job job = job_of(threads);
  std::vector<Mined> mined;
  for (const MineOptions& each : sweep) mined.push_back(arrays_for(scene, each));
  std::vector<gemmine::MinedArrays> out;
  for (Mined& each : mined)
    out.push_back({each.indices.data(), each.scores.data(), each.counts.data(), each.ranks.data(),
                   each.positive_scores.data()});
  const auto queries = source_of(scene.queries), corpus = source_of(scene.corpus);
  const auto handle = backend.prepare_corpus(*corpus, scene.metric, keep, job);
  auto results = mine(backend, *queries, *handle, sweep, out, job);
  for (std::size_t i = 0; i < mined.size(); ++i) {
    mined[i].result = std::move(results[i]);
    mined[i].positive_scores = mined.front().positive_scores;
  }
  return mined;
}

inline Mined run_mine(gemmine::Scans& backend, const MineScene& scene, bool keep, Index threads) {
  return std::move(run_sweep(backend, scene, {options_of(scene)}, keep, threads).front());
}

inline bool negatives_agree(const Mined& mined, const MineScene& scene, Index list,
                            const ExpectedQuery& expected) {
  const Index k = scene.options.num_negatives;
  const auto count = std::min(k, static_cast<Index>(expected.found.size()));
  bool right = mined.counts[list] == count;
  for (Index i = 0; i < k; ++i) {
    const Index at = list * k + i;
    if (i >= count)
      right &= mined.indices[at] == -1 && mined.ranks[at] == -1 && std::isnan(mined.scores[at]);
    else
      right &= mined.indices[at] == expected.found[i].row &&
               mined.ranks[at] == expected.found[i].rank &&
               mined.scores[at] == static_cast<float>(expected.found[i].score);
  }
  return right;
}

inline bool rejected_agree(const gemmine::Rejected& got, Index at,
                           const std::pair<Index, std::int32_t>& list, Index explain,
                           const ExpectedQuery& expected) {
  if (at >= static_cast<Index>(got.queries.size()) || got.queries[at] != list.first ||
      got.positives[at] != list.second)
    return false;
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
inline bool mined_agrees(const Mined& mined, const MineScene& scene) {
  const MineOptions options = options_of(scene);
  const Oracle oracle(scene.metric, scene.queries, scene.corpus, options, scene.positives,
                      scene.excluded);
  std::int64_t dropped[gemmine::rule_count] = {};
  Index inconsistent = 0, without = 0, mined_lists = 0;
  bool right = true;
  const auto answers = expected_answers(oracle, options);
  const auto lists = oracle.lists();
  for (std::size_t list = 0; list < lists.size(); ++list) {
    const ExpectedQuery& expected = answers[list];
    inconsistent += expected.inconsistent;
    for (const Ranked& each : expected.rejected) ++dropped[each.rule];
    right &= negatives_agree(mined, scene, static_cast<Index>(list), expected);
    if (options.explain > 0 && expected.mined)
      right &= rejected_agree(mined.result.rejected, mined_lists++, lists[list], options.explain,
                              expected);
  }
  for (Index query = 0; query < scene.queries.rows; ++query) {
    without += scene.positives.of(query).empty();
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
         static_cast<Index>(result.rejected.queries.size()) == mined_lists &&
         result.proof.certified + result.proof.fallback == static_cast<Index>(lists.size());
}

inline bool same_answers(const Mined& a, const Mined& b) {
  return a.indices == b.indices && a.ranks == b.ranks && a.counts == b.counts &&
         std::memcmp(a.scores.data(), b.scores.data(), a.scores.size() * sizeof(float)) == 0 &&
         std::equal(a.result.dropped, a.result.dropped + gemmine::rule_count, b.result.dropped) &&
         a.result.inconsistent == b.result.inconsistent &&
         a.result.candidate_pairs == b.result.candidate_pairs &&
         a.result.queries_without_positives == b.result.queries_without_positives &&
         a.result.rejected.rules == b.result.rejected.rules &&
         a.result.rejected.rows == b.result.rejected.rows;
}

}  // namespace test
