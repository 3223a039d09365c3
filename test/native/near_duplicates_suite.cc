// Pairs of near rows, by one self-join and by blocks, compared with all scores.
#include "check.h"
#include "core/pool.h"
#include "mining/near_duplicates.h"
#include "scan_scenes.h"
#include "scans_devices.h"

using namespace test;
using gemmine::FoundRows;

namespace {

bool is_right(const FoundRows& found, const Rows& rows, Metric metric, double threshold) {
  bool right = static_cast<Index>(found.indptr.size()) == rows.rows + 1;
  for (Index i = 0; right && i < rows.rows; ++i) {
    std::vector<Scored> expected;
    for (Index j = i + 1; j < rows.rows; ++j) {
      const double score = plain_score(metric, rows.row(i), rows.row(j), rows.d);
      if (score >= threshold) expected.push_back({score, static_cast<std::int32_t>(j)});
    }
    std::sort(expected.begin(), expected.end(), gemmine::better);
    const auto begin = static_cast<std::size_t>(found.indptr[i]);
    right = static_cast<std::size_t>(found.indptr[i + 1]) == begin + expected.size();
    for (std::size_t t = 0; right && t < expected.size(); ++t)
      right = found.rows[begin + t] == expected[t].row &&
              found.scores[begin + t] == static_cast<float>(expected[t].score) + 0.0f;
  }
  return right && found.proof.certified + found.proof.fallback == rows.rows;
}

void test_pairs(gemmine::Scans& scans, const std::string& what, Index scenes) {
  for (Index seed = 0; seed < scenes; ++seed) {
    Dice dice(700 + seed);
    const Metric metric = metrics[seed % 3];
    const Index n = 1 + dice.below(dice.chance(4) ? 900 : 120), d = 1 + dice.below(20);
    const Rows rows = random_rows(dice.below(kinds), n, d, dice);
    const double threshold =
        plain_score(metric, rows.row(dice.below(n)), rows.row(dice.below(n)), d);
    const auto source = source_of(rows);
    const Job job = job_of(1 + dice.below(3));
    const std::string scene = what + ", scene " + std::to_string(seed);
    check(
        is_right(near_duplicates(scans, *source, metric, threshold, job), rows, metric, threshold),
        scene);
    const Index step = 1 + dice.below(n);
    check(is_right(near_duplicates_in_blocks(scans, *source, metric, threshold, step, job), rows,
                   metric, threshold),
          scene + ", in blocks");
  }
}

}  // namespace

int main() {
  gemmine::set_pool_threads(3);
  each_scans(30, test_pairs);
  const int status = report("near duplicates");
  gemmine::stop_pool();
  return status;
}
