#include <algorithm>
#include <atomic>
#include <limits>

#include "mining/batches.h"
#include "mining/mine.h"
#include "mining/rescoring.h"

namespace gemmine {
namespace {

std::vector<std::int32_t> barred_rows(const TopKOptions& options, Index query) {
  const auto excluded = list_of(options.exclude, query);
  std::vector<std::int32_t> rows(excluded.begin(), excluded.end());
  const std::int32_t self = options.self.of(query);
  if (self == -1) return rows;
  const auto at = std::lower_bound(rows.begin(), rows.end(), self);
  if (at == rows.end() || *at != self) rows.insert(at, self);
  return rows;
}

void write_row(const std::vector<Scored>& best, Index k, std::int32_t* indices, float* scores) {
  const auto found = std::min(k, static_cast<Index>(best.size()));
  for (Index i = 0; i < found; ++i) {
    indices[i] = best[i].row;
    scores[i] = answer_score(best[i].score);
  }
  std::fill(indices + found, indices + k, -1);
  std::fill(scores + found, scores + k, std::numeric_limits<float>::quiet_NaN());
}

}  // namespace

Proof top_k(Backend& backend, const RowSource& queries, const CorpusHandle& corpus,
            const TopKOptions& options, std::int32_t* indices, float* scores, const Job& job) {
  const auto handle = backend.prepare_queries(queries, corpus, job);
  const Index k = options.k;
  const Index depth = std::min(k, corpus.rows().rows());
  std::atomic<Index> fallback = 0;
  std::vector<std::vector<std::int32_t>> barred;
  const auto ask = [&](Index query) -> std::optional<ScanQuery> {
    barred.push_back(barred_rows(options, query));
    return ScanQuery{.query = query, .depth = depth, .barred = barred.back()};
  };
  const auto run = [&](const std::vector<ScanQuery>& asked) {
    const ScanRequest request{.queries = *handle,
                              .asked = asked,
                              .groups = Groups::off,
                              .corpus_groups = nullptr,
                              .bound_factor = 1.0};
    backend.scan(
        request,
        [&](const ScanQuery& query, ScanResult& scanned, RowScorer& scorer) {
          const Ranking ranking = rank_rows(request, query, scanned, scorer);
          fallback += ranking.rescanned;
          write_row(ranking.admissible, k, indices + query.query * k, scores + query.query * k);
        },
        job);
    barred.clear();
  };
  const auto bytes_of = [&](const ScanQuery& query) {
    return scan_bytes(query, queries.cols(), {});
  };
  for_batches(queries.rows(), bytes_of, ask, run);
  return {.certified = queries.rows() - fallback,
          .fallback = fallback,
          .zero_queries = handle->zero_rows(),
          .zero_rows = corpus.zero_rows()};
}

}  // namespace gemmine
