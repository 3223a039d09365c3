// top_k and mine against brute force, on scenes that are random, tied, planted and degenerate.
#include "backend/cpu/pool.h"
#include "check.h"
#include "mining_backend.h"
#include "mining_oracle.h"

using namespace test;
using gemmine::Groups;
using gemmine::Job;
using gemmine::MineOptions;

namespace {

Job job_of(Index threads) { return {.cancellation = {}, .report = {}, .threads = threads}; }

std::unique_ptr<gemmine::RowSource> source_of(const Rows& rows) {
  return gemmine::dense_source(rows.values.data(), gemmine::ElementType::float32, rows.rows, rows.d,
                               rows.d);
}

// ---- Data

float nudged(float value, int ulps) {
  std::int32_t bits;
  std::memcpy(&bits, &value, 4);
  bits += ulps;
  std::memcpy(&value, &bits, 4);
  return value;
}

constexpr Index kinds = 10;

Rows random_rows(Index kind, Index rows, Index d, Dice& dice) {
  Rows made{rows, d, std::vector<float>(rows * d)};
  for (Index i = 0; i < rows; ++i) {
    const double size = std::pow(10.0, 3 * dice.uniform());
    for (Index t = 0; t < d; ++t) {
      const double x = dice.normal();
      float& to = made.values[i * d + t];
      switch (kind) {
        case 0: to = static_cast<float>(x); break;
        case 1: to = static_cast<float>(dice.below(3)) - 1.0f; break;  // many equal scores
        case 2: to = dice.chance(2) ? 0.0f : -0.0f; break;
        case 3: to = static_cast<float>(1e4 + x); break;
        case 4: to = static_cast<float>(1e18 * x); break;
        case 5: to = static_cast<float>(1e-40 * x); break;
        case 6: to = static_cast<float>(size * x); break;
        case 7: to = dice.chance(4) ? static_cast<float>(std::abs(x)) : 0.0f; break;
        case 8: to = static_cast<float>(1e25 * x); break;
        default: to = i % 3 == 0 ? 0.0f : static_cast<float>(x * std::pow(10.0, 60 * dice.uniform() - 40)); break;
      }
    }
  }
  // Some rows say the same, some of those at twice the length.
  for (Index i = 1; i < rows; ++i)
    if (dice.chance(7)) {
      const float factor = dice.chance(2) ? 2.0f : 1.0f;
      const Index from = dice.below(i);
      for (Index t = 0; t < d; ++t) made.values[i * d + t] = factor * made.values[from * d + t];
    }
  return made;
}

// One row many times, each a few ulp off in one column; every other one turned round, so that
// centring does not help.
Rows twins(Index rows, Index d, Dice& dice) {
  Rows made{rows, d, std::vector<float>(rows * d)};
  for (Index t = 0; t < d; ++t) made.values[t] = static_cast<float>(dice.normal());
  for (Index i = 1; i < rows; ++i) {
    for (Index t = 0; t < d; ++t) made.values[i * d + t] = made.values[t];
    float& moved = made.values[i * d + dice.below(d)];
    moved = nudged(moved, static_cast<int>(dice.below(9)) - 4);
  }
  for (Index i = 1; i < rows; i += 2)
    for (Index t = 0; t < d; ++t) made.values[i * d + t] *= -1;
  return made;
}

std::vector<std::int32_t> some_rows(Index count, Index limit, Dice& dice) {
  std::vector<std::int32_t> rows;
  for (Index i = 0; i < count; ++i) rows.push_back(static_cast<std::int32_t>(dice.below(limit)));
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

// ---- top_k

struct Found {
  std::vector<std::int32_t> indices;
  std::vector<float> scores;
  gemmine::Proof proof;
};

Found search(ScanBackend& backend, Metric metric, const Rows& queries, const Rows& corpus, Index k,
             const Lists& excluded, bool exclude_self, bool keep, Index threads) {
  const Job job = job_of(threads);
  const auto query_source = source_of(queries), corpus_source = source_of(corpus);
  const auto handle = backend.prepare_corpus(*corpus_source, metric, keep, job);
  Found found{std::vector<std::int32_t>(queries.rows * k), std::vector<float>(queries.rows * k), {}};
  found.proof = top_k(backend, *query_source, *handle,
                      {.k = k, .exclude_self = exclude_self, .exclude = excluded.view()},
                      found.indices.data(), found.scores.data(), job);
  check(found.proof.certified + found.proof.fallback == queries.rows, "every query is accounted for");
  return found;
}

// Number of queries whose answer differs from brute force.
Index wrong_queries(const Found& found, Metric metric, const Rows& queries, const Rows& corpus,
                    Index k, const Lists& excluded, bool exclude_self) {
  Index wrong = 0;
  for (Index query = 0; query < queries.rows; ++query) {
    std::vector<Ranked> all;
    const auto barred = excluded.of(query);
    for (std::int32_t row = 0; row < corpus.rows; ++row)
      if (!(exclude_self && row == query) && !holds(barred, row))
        all.push_back({plain_score(metric, queries.row(query), corpus.row(row), corpus.d), row, 0, 0});
    std::sort(all.begin(), all.end(), [](const Ranked& a, const Ranked& b) {
      return a.score > b.score || (a.score == b.score && a.row < b.row);
    });
    bool right = true;
    for (Index i = 0; i < k; ++i) {
      const bool there = i < static_cast<Index>(all.size());
      const auto row = found.indices[query * k + i];
      const float score = found.scores[query * k + i];
      right &= row == (there ? all[i].row : -1);
      if (!there) right &= std::isnan(score);
      else right &= score == static_cast<float>(all[i].score) && !(score == 0 && std::signbit(score));
    }
    wrong += !right;
  }
  return wrong;
}

const char* const metric_names[] = {"cosine", "dot", "l2"};
constexpr Metric metrics[] = {Metric::cosine, Metric::dot, Metric::l2};

void test_random_searches(Index scenes) {
  ScanBackend backend;
  for (Index scene = 0; scene < scenes; ++scene) {
    Dice dice(scene);
    const Index ds[] = {1, 2, 7, 8, 17, 24, 64, 100};
    const Index d = ds[dice.below(8)];
    const Index nc = 1 + dice.below(dice.chance(4) ? 900 : 120);
    const bool self = dice.chance(3);
    const Index nq = self ? nc : 1 + dice.below(40);
    const Index kind = dice.below(kinds);
    const Rows corpus = random_rows(kind, nc, d, dice);
    const Rows queries = self ? corpus : random_rows(dice.chance(4) ? dice.below(kinds) : kind, nq, d, dice);
    const Index k = dice.chance(5) ? nc : 1 + dice.below(std::min<Index>(nc, 30));
    std::vector<std::vector<std::int32_t>> lists(nq);
    const bool everything = dice.chance(6);
    if (dice.chance(2))
      for (auto& each : lists) each = some_rows(everything ? 20 * nc : dice.below(nc), nc, dice);
    const Lists excluded(lists);
    backend.piece = dice.chance(3) ? 1 + dice.below(20) : 0;
    const auto metric = metrics[dice.below(3)];
    const Found found = search(backend, metric, queries, corpus, k, excluded, self, dice.chance(2),
                               1 + dice.below(3));
    check(wrong_queries(found, metric, queries, corpus, k, excluded, self) == 0,
          "top_k, scene " + std::to_string(scene) + ", kind " + std::to_string(kind) + ", " +
              metric_names[static_cast<int>(metric)] + ", d " + std::to_string(d) + ", " +
              std::to_string(nq) + " x " + std::to_string(nc) + ", k " + std::to_string(k));
  }
}

struct Planted {
  const char* name;
  Rows queries;
  Rows corpus;
  Index k;
};

std::vector<Planted> planted_scenes() {
  Dice dice(5);
  std::vector<Planted> scenes;
  scenes.push_back({"1e4 + N(0,1)", random_rows(3, 20, 64, dice), random_rows(3, 3000, 64, dice), 20});
  // As far away in both directions: no centre helps.
  for (Index i = 0; i < 3000; i += 2)
    for (Index t = 0; t < 64; ++t) scenes[0].corpus.values[i * 64 + t] -= 2e4f;
  scenes.push_back({"twins", random_rows(0, 10, 384, dice), twins(600, 384, dice), 30});
  Rows q{2, 8, std::vector<float>(16)}, c{300, 8, std::vector<float>(2400)};
  for (Index i = 0; i < 2; ++i) {
    q.values[i * 8] = q.values[i * 8 + 1] = 0x1p70f;
    q.values[i * 8 + 2] = i == 0 ? 1.0f : -1.0f;
  }
  for (Index i = 0; i < 300; ++i) {
    c.values[i * 8] = 0x1p70f;
    c.values[i * 8 + 1] = -0x1p70f;
    c.values[i * 8 + 2] = static_cast<float>(i * 37 % 300 - 150);
  }
  scenes.push_back({"2^70 cancels", q, c, 20});
  return scenes;
}

// A scan is only a filter: without its bound the planted scenes come out wrong.
void test_bound_is_needed() {
  const Lists none(std::vector<std::vector<std::int32_t>>(20));
  Index wrong_without = 0;
  for (const Planted& scene : planted_scenes())
    for (const Metric metric : metrics) {
      ScanBackend backend;
      const auto wrong = [&] {
        const Found found =
            search(backend, metric, scene.queries, scene.corpus, scene.k, none, false, true, 3);
        return wrong_queries(found, metric, scene.queries, scene.corpus, scene.k, none, false);
      };
      check(wrong() == 0, std::string(scene.name) + ", " + metric_names[static_cast<int>(metric)]);
      backend.bound_factor = 0;
      const Index lost = wrong();
      wrong_without += lost;
      std::printf("%s, %s: %ld of %ld wrong without the bound\n", scene.name,
                  metric_names[static_cast<int>(metric)], static_cast<long>(lost),
                  static_cast<long>(scene.queries.rows));
    }
  check(wrong_without > 20, "float32 alone gets planted scenes wrong");
}

void test_ties_fall_back() {
  Dice dice(8);
  const Rows queries = random_rows(0, 5, 24, dice);
  Rows corpus{40000, 24, std::vector<float>(40000 * 24, 1.5f)};
  const Lists none(std::vector<std::vector<std::int32_t>>(5));
  ScanBackend backend;
  for (const Metric metric : metrics) {
    const Found found = search(backend, metric, queries, corpus, 40, none, false, false, 2);
    check(wrong_queries(found, metric, queries, corpus, 40, none, false) == 0, "every row equal");
    check(found.proof.fallback == 5, "ties beyond the buffer fall back");
  }
}

void test_invalid_entries() {
  ScanBackend backend;
  Dice dice(9);
  Rows rows = random_rows(0, 700, 12, dice);
  rows.values[650 * 12 + 3] = std::numeric_limits<float>::quiet_NaN();
  rows.values[300 * 12 + 7] = -std::numeric_limits<float>::infinity();
  const auto source = source_of(rows);
  source->argument = "corpus";
  throws<gemmine::InvalidEntry>(
      [&] { backend.prepare_corpus(*source, Metric::dot, true, job_of(3)); },
      [](const gemmine::InvalidEntry& error) {
        check(error.argument == "corpus" && error.row == 300 && error.column == 7 &&
                  error.value == -std::numeric_limits<double>::infinity(),
              "the first entry that is not finite is named");
      },
      "an infinite entry");
}

void test_cancellation() {
  ScanBackend backend;
  Dice dice(10);
  const Rows rows = random_rows(0, 500, 12, dice);
  const auto source = source_of(rows);
  const auto handle = backend.prepare_corpus(*source, Metric::cosine, false, job_of(2));
  const std::int32_t raised = 1;
  const Job job{.cancellation = gemmine::Cancellation(&raised), .report = {}, .threads = 2};
  std::vector<std::int32_t> indices(500);
  std::vector<float> scores(500);
  throws<gemmine::Cancelled>(
      [&] {
        top_k(backend, *source, *handle,
              {.k = 1, .exclude_self = false, .exclude = {nullptr, nullptr}}, indices.data(),
              scores.data(), job);
      },
      [](const gemmine::Cancelled&) { check(true, "cancelled"); }, "a cancelled search");
}

// ---- mine

struct MineScene {
  Metric metric;
  Rows queries;
  Rows corpus;
  Lists positives;
  Lists excluded;
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
  const bool grouped = dice.chance(2), texts = dice.chance(2);
  MineScene scene{.metric = metric, .queries = queries, .corpus = corpus,
                  .positives = Lists(positives), .excluded = Lists(excluded),
                  .query_groups = labels(nq, 4, dice), .corpus_groups = labels(nc, 4, dice),
                  .query_texts = labels(nq, std::max<Index>(2, nc / 3), dice),
                  .corpus_texts = labels(nc, std::max<Index>(2, nc / 3), dice), .options = {}};
  const Index k = 1 + dice.below(std::min<Index>(nc, 12));
  const double level = some_level(metric, queries, corpus, dice);
  const double margin = std::abs(level) * dice.uniform();
  scene.options = MineOptions{
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
      .exclude_self = self && dice.chance(2),
      .positives = {},
      .exclude = {},
      .groups = grouped ? (dice.chance(2) ? Groups::different : Groups::same) : Groups::off,
      .query_groups = nullptr,
      .corpus_groups = nullptr,
      .texts = {nullptr, nullptr},
      .explain = dice.chance(2) ? (dice.chance(3) ? nc : dice.below(15)) : 0};
  if (!texts) scene.query_texts.clear();
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
  options.query_groups = scene.query_groups.data();
  options.corpus_groups = scene.corpus_groups.data();
  if (!scene.query_texts.empty())
    options.texts = {scene.query_texts.data(), scene.corpus_texts.data()};
  return options;
}

Mined run_mine(ScanBackend& backend, const MineScene& scene, bool keep, Index threads) {
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
      right &= rejected_agree(mined.result.rejected, mined_queries++, query, options.explain, expected);
    const auto known = scene.positives.of(query);
    for (std::size_t i = 0; i < known.size(); ++i)
      right &= mined.positive_scores[scene.positives.indptr[query] + i] == oracle.score(query, known[i]);
  }
  for (Index rule = 0; rule < gemmine::rule_count; ++rule) {
    const bool same = mined.result.dropped[rule] == dropped[rule];
    if (!same)
      std::printf("dropped %s: %ld, expected %ld\n", gemmine::rule_names[rule],
                  static_cast<long>(mined.result.dropped[rule]), static_cast<long>(dropped[rule]));
    right &= same;
  }
  const gemmine::MinedCounts& result = mined.result;
  return right && result.inconsistent == inconsistent && result.queries_without_positives == without &&
         static_cast<Index>(result.rejected.queries.size()) == mined_queries &&
         result.proof.certified + result.proof.fallback == scene.queries.rows;
}

bool same_answers(const Mined& a, const Mined& b) {
  return a.indices == b.indices && a.ranks == b.ranks && a.counts == b.counts &&
         std::memcmp(a.scores.data(), b.scores.data(), a.scores.size() * sizeof(float)) == 0 &&
         a.result.rejected.rows == b.result.rejected.rows;
}

void test_random_mining(Index scenes) {
  ScanBackend backend;
  Index fallback = 0, queries = 0;
  for (Index seed = 0; seed < scenes; ++seed) {
    const MineScene scene = mine_scene(seed);
    backend.piece = 0;
    const Mined mined = run_mine(backend, scene, seed % 2 == 0, 1 + seed % 3);
    fallback += mined.result.proof.fallback;
    queries += scene.queries.rows;
    check(mined_agrees(mined, scene), "mine, scene " + std::to_string(seed) + ", " +
                                          metric_names[static_cast<int>(scene.metric)]);
    backend.piece = 1 + seed % 9;
    check(same_answers(mined, run_mine(backend, scene, seed % 2 != 0, 1 + (seed + 1) % 3)),
          "same bits for other threads and requests, scene " + std::to_string(seed));
  }
  std::printf("mine: %ld scenes, %ld queries, %ld fell back\n", static_cast<long>(scenes),
              static_cast<long>(queries), static_cast<long>(fallback));
}

void test_mining_needs_the_bound() {
  ScanBackend backend;
  backend.bound_factor = 0;
  Index wrong = 0;
  for (Index seed = 0; seed < 40; ++seed) {
    MineScene scene = mine_scene(seed);
    Dice dice(seed);
    scene.corpus = twins(scene.corpus.rows, scene.corpus.d, dice);
    scene.queries = scene.options.exclude_self ? scene.corpus : scene.queries;
    wrong += !mined_agrees(run_mine(backend, scene, true, 2), scene);
  }
  std::printf("mine without the bound: %ld of 40 scenes wrong\n", static_cast<long>(wrong));
  check(wrong > 5, "without the bound mining fails");
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
  scene.options = MineOptions{.num_negatives = 4, .rules = {}, .min_score = {},
                              .reference = gemmine::Reference::min, .skip_ranks = 0, .max_rank = {},
                              .max_positive_rank = {}, .skip_survivors = 0,
                              .sampling = gemmine::Sampling::random, .pool = 40, .seed = 1,
                              .exclude_self = false, .positives = {}, .exclude = {},
                              .groups = Groups::off, .query_groups = nullptr,
                              .corpus_groups = nullptr, .texts = {nullptr, nullptr}, .explain = 0};
  ScanBackend backend;
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
  near(static_cast<double>(together), expected, 5 * std::sqrt(expected), "neighbours come together");
  scene.options.sampling = gemmine::Sampling::top1_random;
  const Mined first = run_mine(backend, scene, false, 3);
  bool kept = true;
  for (Index query = 0; query < 2000; ++query) kept &= first.ranks[query * 4] == 0;
  check(kept, "top1-random keeps the best");
}

}  // namespace

int main(int argc, char** argv) {
  const Index scenes = argc > 1 ? std::atol(argv[1]) : 300;
  gemmine::cpu::set_pool_threads(3);
  test_random_searches(scenes);
  test_bound_is_needed();
  test_ties_fall_back();
  test_invalid_entries();
  test_cancellation();
  test_random_mining(scenes);
  test_mining_needs_the_bound();
  test_draws();
  const int status = report("mining");
  gemmine::cpu::stop_pool();
  return status;
}
