#include "mining/near_duplicates.h"

#include <algorithm>

namespace gemmine {
namespace {

// A sixteenth of the rows: 17/32 of all products. Preparing the rows after a block costs little
// beside its products.
constexpr Index blocks = 16;

// Progress in rows over all blocks.
Job block_job(const Job& job, RowRange range, Index rows) {
  if (!job.report) return job;
  Job block = job;
  block.report = [report = job.report, range, rows](Progress progress) {
    if (progress.total > 0)
      progress.done = range.begin + progress.done * range.count / progress.total;
    progress.total = rows;
    report(progress);
  };
  return block;
}

// Appends the rows after its own of each query of a block that begins at row `begin`.
void append(const FoundRows& found, Index begin, FoundRows& all) {
  for (std::size_t query = 0; query + 1 < found.indptr.size(); ++query) {
    const auto end = static_cast<std::size_t>(found.indptr[query + 1]);
    for (auto i = static_cast<std::size_t>(found.indptr[query]); i < end; ++i) {
      if (found.rows[i] <= static_cast<std::int32_t>(query)) continue;
      all.rows.push_back(found.rows[i] + static_cast<std::int32_t>(begin));
      all.scores.push_back(found.scores[i]);
    }
    all.indptr.push_back(static_cast<double>(all.rows.size()));
  }
  all.proof.certified += found.proof.certified;
  all.proof.fallback += found.proof.fallback;
  all.proof.zero_queries += found.proof.zero_queries;
}

RangeOptions range_options(double threshold) {
  return {.threshold = threshold,
          .limit = {},
          .self = {.same = true, .rows = nullptr},
          .exclude = {nullptr, nullptr}};
}

}  // namespace

FoundRows near_duplicates_in_blocks(Scans& scans, const RowSource& rows, Metric metric,
                                    double threshold, Index step, const Job& job) {
  const Index n = rows.rows();
  FoundRows all{.indptr = {0}, .rows = {}, .scores = {}, .proof = {}};
  for (Index begin = 0; begin < n; begin += step) {
    const RowRange range{.begin = begin, .count = std::min(step, n - begin)};
    const Job block = block_job(job, range, n);
    const auto queries = rows_within(rows, range);
    const auto rest = rows_within(rows, {begin, n - begin});
    const auto corpus = scans.prepare_corpus(*rest, metric, false, block);
    append(range_search(scans, *queries, *corpus, range_options(threshold), block), begin, all);
  }
  all.proof.zero_rows = all.proof.zero_queries;
  return all;
}

FoundRows near_duplicates(Scans& scans, const RowSource& rows, Metric metric, double threshold,
                          const Job& job) {
  const Index n = rows.rows();
  if (join_bytes(n, rows.cols(), every_row) > largest_join(job))
    return near_duplicates_in_blocks(scans, rows, metric, threshold, (n + blocks - 1) / blocks,
                                     job);
  const auto corpus = scans.prepare_corpus(rows, metric, false, job);
  FoundRows all{.indptr = {0}, .rows = {}, .scores = {}, .proof = {}};
  append(range_search(scans, rows, *corpus, range_options(threshold), job), 0, all);
  all.proof.zero_rows = all.proof.zero_queries;
  return all;
}

}  // namespace gemmine
