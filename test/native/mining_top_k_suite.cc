// top_k compared with brute force, on random, tied, planted and degenerate scenes.
#include <atomic>
#include <map>

#include "check.h"
#include "core/pool.h"
#include "mining_scenes.h"
#include "scans_devices.h"

using namespace test;

namespace {

struct Found {
  std::vector<std::int32_t> indices;
  std::vector<float> scores;
  gemmine::Proof proof;
};

Found search(gemmine::Scans& backend, Metric metric, const Rows& queries, const Rows& corpus,
             Index k, const Lists& excluded, bool exclude_self, bool keep, Index threads) {
  const Job job = job_of(threads);
  const auto query_source = source_of(queries), corpus_source = source_of(corpus);
  const auto handle = backend.prepare_corpus(*corpus_source, metric, keep, job);
  Found found{
      std::vector<std::int32_t>(queries.rows * k), std::vector<float>(queries.rows * k), {}};
  found.proof =
      top_k(backend, *query_source, *handle,
            {.k = k, .self = {.same = exclude_self, .rows = nullptr}, .exclude = excluded.view()},
            found.indices.data(), found.scores.data(), job);
  check(found.proof.certified + found.proof.fallback == queries.rows,
        "every query is accounted for");
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
        all.push_back(
            {plain_score(metric, queries.row(query), corpus.row(row), corpus.d), row, 0, 0});
    std::sort(all.begin(), all.end(), [](const Ranked& a, const Ranked& b) {
      return a.score > b.score || (a.score == b.score && a.row < b.row);
    });
    bool right = true;
    for (Index i = 0; i < k; ++i) {
      const bool there = i < static_cast<Index>(all.size());
      const auto row = found.indices[query * k + i];
      const float score = found.scores[query * k + i];
      right &= row == (there ? all[i].row : -1);
      if (!there)
        right &= std::isnan(score);
      else
        right &= score == static_cast<float>(all[i].score) && !(score == 0 && std::signbit(score));
    }
    wrong += !right;
  }
  return wrong;
}

void test_random_searches(Index scenes) {
  TrialScans backend;
  GuardedScans guarded;
  for (Index scene = 0; scene < scenes; ++scene) {
    Dice dice(scene);
    const Index ds[] = {1, 2, 7, 8, 17, 24, 64, 100};
    const Index d = ds[dice.below(8)];
    const Index nc = 1 + dice.below(dice.chance(4) ? 900 : 120);
    const bool self = dice.chance(3);
    const Index nq = self ? nc : 1 + dice.below(40);
    const Index kind = dice.below(kinds);
    const Rows corpus = random_rows(kind, nc, d, dice);
    const Rows queries =
        self ? corpus : random_rows(dice.chance(4) ? dice.below(kinds) : kind, nq, d, dice);
    const Index k = dice.chance(5) ? nc : 1 + dice.below(std::min<Index>(nc, 30));
    std::vector<std::vector<std::int32_t>> lists(nq);
    const bool everything = dice.chance(6);
    if (dice.chance(2))
      for (auto& each : lists) each = some_rows(everything ? 20 * nc : dice.below(nc), nc, dice);
    const Lists excluded(lists);
    backend.piece = dice.chance(3) ? 1 + dice.below(20) : 0;
    backend.format =
        dice.chance(2) ? &gemmine::cpu::first_format() : &gemmine::cpu::finest_format();
    const auto metric = metrics[dice.below(3)];
    const Found found = search(backend, metric, queries, corpus, k, excluded, self, dice.chance(2),
                               1 + dice.below(3));
    Index wrong = wrong_queries(found, metric, queries, corpus, k, excluded, self);
    if (scene % 8 == 0 && !thread_sanitizer)
      wrong += wrong_queries(search(guarded, metric, queries, corpus, k, excluded, self, true, 1),
                             metric, queries, corpus, k, excluded, self);
    check(wrong == 0, "top_k, scene " + std::to_string(scene) + ", kind " + std::to_string(kind) +
                          ", " + name_of(metric) + ", d " + std::to_string(d) + ", " +
                          std::to_string(nq) + " x " + std::to_string(nc) + ", k " +
                          std::to_string(k));
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
  scenes.push_back(
      {"1e4 + N(0,1)", random_rows(3, 20, 64, dice), random_rows(3, 3000, 64, dice), 20});
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

// A scan is only a filter: without its bound the planted scenes come out wrong, in every format and
// for every metric.
void test_bound_is_needed(const gemmine::cpu::ScanFormat& format) {
  const Lists none(std::vector<std::vector<std::int32_t>>(20));
  for (const Metric metric : metrics) {
    Index wrong_without = 0;
    for (const Planted& scene : planted_scenes()) {
      TrialScans backend;
      backend.format = &format;
      const auto wrong = [&] {
        const Found found =
            search(backend, metric, scene.queries, scene.corpus, scene.k, none, false, true, 3);
        return wrong_queries(found, metric, scene.queries, scene.corpus, scene.k, none, false);
      };
      check(wrong() == 0, std::string(scene.name) + ", " + name_of(metric));
      backend.bound_factor = 0;
      const Index lost = wrong();
      wrong_without += lost;
      std::printf("%s, %s, %s: %ld of %ld wrong without the bound\n", scene.name, name_of(metric),
                  format.name, static_cast<long>(lost), static_cast<long>(scene.queries.rows));
    }
    check(wrong_without > 0,
          std::string(format.name) + " alone gets planted scenes wrong, " + name_of(metric));
  }
}

// Scores too near to each other for the first format, and far enough for float32, need no canonical
// scan.
void test_finer_scan_decides() {
  Dice dice(12);
  const Rows queries = random_rows(0, 40, 48, dice);
  Rows corpus{6000, 48, std::vector<float>(6000 * 48)};
  for (Index i = 0; i < 6000; ++i)
    for (Index t = 0; t < 48; ++t)
      corpus.values[i * 48 + t] = static_cast<float>((i % 2 == 0 ? 1 : -1) + 3e-4 * dice.normal());
  const Lists none(std::vector<std::vector<std::int32_t>>(40));
  TrialScans backend;
  for (const Metric metric : metrics) {
    const Found found = search(backend, metric, queries, corpus, 10, none, false, true, 3);
    check(wrong_queries(found, metric, queries, corpus, 10, none, false) == 0, "nearly equal rows");
    check(found.proof.fallback == 0, std::string("a finer scan decides, ") + name_of(metric));
  }
}

void test_ties_fall_back() {
  Dice dice(8);
  const Index count = 150;  // more than are ranked at a time
  const Rows queries = random_rows(0, count, 24, dice);
  Rows corpus{9000, 24, std::vector<float>(9000 * 24, 1.5f)};
  std::vector<std::vector<std::int32_t>> some(count);
  for (auto& each : some) each = some_rows(30, 60, dice);
  const Lists excluded(some);
  TrialScans backend;
  for (const Metric metric : metrics) {
    const Found found = search(backend, metric, queries, corpus, 40, excluded, false, false, 2);
    check(wrong_queries(found, metric, queries, corpus, 40, excluded, false) == 0,
          "every row equal");
    check(found.proof.fallback == count, "ties beyond the buffer fall back");
  }
}

void test_invalid_entries() {
  TrialScans backend;
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

// 40 queries whose scan goes through every stage: half the corpus is nearly equal, with ties.
struct Staged {
  Rows queries;
  Rows corpus;
};

Staged staged_scene() {
  Dice dice(13);
  Staged scene{random_rows(0, 40, 48, dice), {24000, 48, std::vector<float>(24000 * 48)}};
  for (Index i = 0; i < 24000; ++i)
    for (Index t = 0; t < 48; ++t)
      scene.corpus.values[i * 48 + t] =
          static_cast<float>((i % 3) - 1.0 + (i % 3 == 0 ? 3e-4 * dice.normal() : 0.0));
  return scene;
}

void run_staged(const Staged& scene, const Job& job) {
  TrialScans backend;
  const auto queries = source_of(scene.queries), corpus = source_of(scene.corpus);
  const auto handle = backend.prepare_corpus(*corpus, Metric::dot, true, job_of(2));
  std::vector<std::int32_t> indices(40 * 10);
  std::vector<float> scores(40 * 10);
  top_k(backend, *queries, *handle,
        {.k = 10, .self = {.same = false, .rows = nullptr}, .exclude = {nullptr, nullptr}},
        indices.data(), scores.data(), job);
}

// Within a phase, progress only rises and its total stays; a signal that comes in any of them ends
// the job.
void test_stages() {
  const Staged scene = staged_scene();
  std::map<std::string, Index> done, totals;
  const auto listen = [&](const gemmine::Progress& progress) {
    const auto [at, is_new] = done.emplace(progress.phase, 0);
    check(progress.done >= at->second && progress.done <= progress.total, progress.phase);
    at->second = progress.done;
    check(totals.emplace(progress.phase, progress.total).first->second == progress.total,
          std::string("the total of ") + progress.phase);
  };
  run_staged(scene, {.cancellation = {}, .report = listen, .threads = 1});
  const bool two_formats = &gemmine::cpu::first_format() != &gemmine::cpu::finest_format();
  check(done.contains("scan") && done.contains("settle") && done.contains("rescan") == two_formats,
        "the scene goes through every stage");
  for (const auto& [phase, last] : done) {
    std::int32_t raised = 0;
    std::atomic<int> later = 0;  // parts of the scan that began after the signal
    const auto raise = [&](const gemmine::Progress& progress) {
      later += __atomic_load_n(&raised, __ATOMIC_RELAXED);
      if (phase == progress.phase) __atomic_store_n(&raised, 1, __ATOMIC_RELAXED);
    };
    throws<gemmine::Cancelled>(
        [&] {
          run_staged(
              scene,
              {.cancellation = gemmine::Cancellation(&raised), .report = raise, .threads = 2});
        },
        [](const gemmine::Cancelled&) { check(true, "cancelled"); }, "a signal during " + phase);
    check(later <= 2, "at most one part for each thread goes on after a signal during " + phase);
  }
}

void test_cancellation() {
  TrialScans backend;
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
              {.k = 1, .self = {.same = false, .rows = nullptr}, .exclude = {nullptr, nullptr}},
              indices.data(), scores.data(), job);
      },
      [](const gemmine::Cancelled&) { check(true, "cancelled"); }, "a cancelled search");
}

}  // namespace

int main(int argc, char** argv) {
  gemmine::set_pool_threads(3);
  test_random_searches(argc > 1 ? std::atol(argv[1]) : 400);
  for (const auto* format : {&gemmine::cpu::first_format(), &gemmine::cpu::finest_format()})
    test_bound_is_needed(*format);
  test_finer_scan_decides();
  test_ties_fall_back();
  test_invalid_entries();
  test_cancellation();
  test_stages();
  const int status = report("top_k");
  gemmine::stop_pool();
  return status;
}
