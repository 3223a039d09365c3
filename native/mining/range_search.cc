#include "mining/range_search.h"

#include "mining/batches.h"

namespace gemmine {
namespace {

void append(const Ranking& ranking, FoundRows& found) {
  for (const Scored& each : ranking.admissible) {
    found.rows.push_back(each.row);
    found.scores.push_back(answer_score(each.score));
  }
  found.indptr.push_back(static_cast<double>(found.rows.size()));
  (ranking.rescanned ? found.proof.fallback : found.proof.certified) += 1;
}

}  // namespace

FoundRows range_search(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                       const RangeOptions& options, const Job& job) {
  const auto handle = scans.prepare_queries(queries, corpus, job);
  const Index rows = corpus.rows().rows();
  const Index limit = options.limit.value_or(rows);
  FoundRows found{.indptr = {0},
                  .rows = {},
                  .scores = {},
                  .proof = {.certified = 0,
                            .fallback = 0,
                            .zero_queries = handle->zero_rows(),
                            .zero_rows = corpus.zero_rows()}};
  std::vector<std::vector<std::int32_t>> barred;
  RowFilters filters(options.choice, corpus.rows().rows());
  const auto ask = [&](Index query) -> std::optional<ScanQuery> {
    barred.push_back(barred_rows(options.exclude, options.self, query));
    return ScanQuery{.query = query,
                     .depth = limit < rows ? limit : every_row,
                     .floor = options.threshold,
                     .barred = barred.back(),
                     .filter = filters.of(query)};
  };
  const auto run = [&](const std::vector<ScanQuery>& asked, bool more) {
    const ScanRequest request{.queries = *handle,
                              .asked = asked,
                              .groups = Groups::off,
                              .corpus_groups = nullptr,
                              .counted = false,
                              .bound_factor = 1.0,
                              .more = more};
    for (Ranking& each : scans.scan(request, job)) {
      append(each, found);
      each = {};
    }
    barred.clear();
    filters.clear();
  };
  const Index depth = limit < rows ? limit : every_row;
  const auto bytes_of = [&](const ScanQuery& query) {
    return scan_bytes(query, queries.cols(), {}) + filters.bytes();
  };
  const Index budget =
      options.choice.is_set() ? job.buffer_bytes : request_budget(queries, corpus, depth, job);
  for_batches(queries.rows(), budget, job, bytes_of, ask, run);
  return found;
}

}  // namespace gemmine
