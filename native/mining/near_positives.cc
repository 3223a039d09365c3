#include "mining/near_positives.h"

#include <algorithm>
#include <limits>

#include "mining/batches.h"

namespace gemmine {
namespace {

// All positives of some queries, ascending and unique.
std::vector<std::int32_t> positives_of(const RowLists& positives, RowRange mined) {
  const std::int32_t* const indptr = positives.indptr + mined.begin;
  std::vector<std::int32_t> rows(positives.indices + indptr[0],
                                 positives.indices + indptr[mined.count]);
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

// The rows near each of some rows, ascending.
std::vector<std::vector<std::int32_t>> rows_near(Scans& scans, const CorpusHandle& corpus,
                                                 std::span<const std::int32_t> rows,
                                                 double threshold, const Job& job) {
  // Rows of the corpus are the queries, so that none has to be copied.
  const auto queries = scans.prepare_queries(corpus.rows(), corpus, job);
  std::vector<std::vector<std::int32_t>> near;
  Index bytes = 0;
  const auto ask = [&](Index i) -> std::optional<ScanQuery> {
    return ScanQuery{.query = rows[i], .depth = every_row, .floor = threshold};
  };
  const auto run = [&](const std::vector<ScanQuery>& asked, bool) {
    // The scan of the queries follows.
    const ScanRequest request{.queries = *queries,
                              .asked = asked,
                              .groups = Groups::off,
                              .corpus_groups = nullptr,
                              .counted = false,
                              .bound_factor = 1.0,
                              .more = true};
    for (const Ranking& each : scans.scan(request, job)) {
      std::vector<std::int32_t>& found = near.emplace_back();
      for (const Scored& scored : each.admissible) found.push_back(scored.row);
      std::sort(found.begin(), found.end());
      bytes += 2 * static_cast<Index>(found.size() * sizeof(std::int32_t));
    }
    check_fits(bytes, job, "The rows near positives");
  };
  const auto bytes_of = [&](const ScanQuery& query) {
    return scan_bytes(query, corpus.rows().cols(), {});
  };
  for_batches(static_cast<Index>(rows.size()), job.buffer_bytes, job, bytes_of, ask, run);
  return near;
}

}  // namespace

NearPositives::NearPositives(Scans& scans, const CorpusHandle& corpus, const MineOptions& options,
                             RowRange mined, const Job& job) {
  if (!options.near_positive_score) return;
  const std::vector<std::int32_t> rows = positives_of(options.positives, mined);
  const auto near = rows_near(scans, corpus, rows, *options.near_positive_score, job);
  indptr_.resize(options.all_queries + 1);
  for (Index query = mined.begin; query < mined.begin + mined.count; ++query) {
    const auto begin = static_cast<std::ptrdiff_t>(rows_.size());
    for (const std::int32_t positive : list_of(options.positives, query)) {
      const auto at = std::lower_bound(rows.begin(), rows.end(), positive) - rows.begin();
      rows_.insert(rows_.end(), near[at].begin(), near[at].end());
    }
    std::sort(rows_.begin() + begin, rows_.end());
    rows_.erase(std::unique(rows_.begin() + begin, rows_.end()), rows_.end());
    if (rows_.size() > std::numeric_limits<std::int32_t>::max())
      throw Error(ErrorCode::out_of_memory,
                  "The queries have more than 2147483647 rows near their positives together; a "
                  "higher threshold has fewer");
    indptr_[query + 1] = static_cast<std::int32_t>(rows_.size());
  }
  std::fill(indptr_.begin() + mined.begin + mined.count, indptr_.end(),
            indptr_[mined.begin + mined.count]);
}

}  // namespace gemmine
