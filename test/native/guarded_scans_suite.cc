// Searches in memory that host code cannot touch give the same answers as searches on the CPU.
#include "check.h"
#include "core/pool.h"
#include "ended_by.h"
#include "mining/log_sum_exp.h"
#include "mining/max_sim.h"
#include "mining/range_search.h"
#include "scan_scenes.h"
#include "scans_devices.h"

using namespace test;
using gemmine::Scans;

namespace {

constexpr Index queries = 30, rows = 200;

void host_code_that_touches_prepared_rows_dies() {
  Dice dice(1);
  const Rows corpus = random_rows(0, rows, 8, dice);
  GuardedScans guarded, other;
  NaiveScans open;
  const auto reads = [](const Sides& sides) {
    const auto& prepared = dynamic_cast<const NaiveQueries&>(*sides.queries).values;
    [[maybe_unused]] const float seen = *static_cast<const volatile float*>(prepared.row(3));
  };
  const auto scans = [](Scans& scans, const Sides& sides) {
    std::vector<double> scores(1);
    std::vector<std::int32_t> indptr(rows + 1, 1), row{5};
    indptr[0] = 0;
    scans.score_pairs(*sides.queries, {indptr.data(), row.data()}, scores.data(), job_of(1));
  };
  const Sides sides(guarded, Metric::dot, corpus, corpus, true, job_of(1));
  const Sides of_other(other, Metric::dot, corpus, corpus, true, job_of(1));
  const Sides of_host(open, Metric::dot, corpus, corpus, true, job_of(1));
  check(signal_that_ends([&] { reads(sides); }) == SIGSEGV, "a read");
  check(signal_that_ends([&] { reads(of_host); }) == 0, "a read of other memory");
  check(signal_that_ends([&] { scans(guarded, sides); }) == 0, "a scan");
  check(signal_that_ends([&] { scans(guarded, of_other); }) == SIGABRT, "another device's rows");
}

// The answers of all kinds of searches for one scene.
struct Answers {
  std::vector<std::int32_t> rows;
  std::vector<float> scores;
  std::vector<double> sums;
  std::vector<double> errors;
};

Answers answers(Scans& scans, const Scene& scene) {
  const Job job = job_of(2);
  const auto asking = source_of(scene.queries), searched = source_of(scene.corpus);
  const auto corpus = scans.prepare_corpus(*searched, scene.metric, true, job);
  const auto found = gemmine::range_search(scans, *asking, *corpus,
                                           {.threshold = 0.5,
                                            .limit = 20,
                                            .self = {.same = false, .rows = nullptr},
                                            .exclude = {nullptr, nullptr}},
                                           job);
  Answers all{found.rows, found.scores, std::vector<double>(queries), std::vector<double>(queries)};
  gemmine::log_sum_exp(scans, *asking, *corpus, {}, 0.5, all.sums.data(), all.errors.data(), job);
  const std::int32_t tokens[] = {0, 7, 7, 20, queries}, passages[] = {0, 50, 90, 90, 140, rows};
  std::vector<std::int32_t> best(4 * 3);
  std::vector<float> scores(4 * 3);
  gemmine::max_sim(scans, *asking, *corpus,
                   {.k = 3, .queries = {tokens, 4}, .documents = {passages, 5}}, best.data(),
                   scores.data(), job);
  all.rows.insert(all.rows.end(), best.begin(), best.end());
  all.scores.insert(all.scores.end(), scores.begin(), scores.end());
  return all;
}

void searches_need_no_more_than_scans() {
  TrialScans cpu;
  GuardedScans guarded;
  for (const Metric metric : metrics) {
    Dice dice(2);
    const Scene scene{.metric = metric,
                      .queries = random_rows(0, queries, 8, dice),
                      .corpus = random_rows(1, rows, 8, dice),
                      .self = false,
                      .name = name_of(metric)};
    const Answers expected = answers(cpu, scene), found = answers(guarded, scene);
    check(found.rows == expected.rows && std::memcmp(found.scores.data(), expected.scores.data(),
                                                     expected.scores.size() * sizeof(float)) == 0,
          "the same rows and scores, " + scene.name);
    for (Index query = 0; query < queries; ++query)
      near(found.sums[query], expected.sums[query], expected.errors[query], "a sum, " + scene.name);
  }
}

}  // namespace

int main() {
  host_code_that_touches_prepared_rows_dies();
  gemmine::set_pool_threads(3);
  searches_need_no_more_than_scans();
  const int status = report("guarded scans");
  gemmine::stop_pool();
  return status;
}
