#include "mining/top_k.h"

#include "mining/batches.h"

namespace gemmine {

Proof best_rows(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                const TopKOptions& options, QuestionFilters& filters, std::int32_t* indices,
                float* scores, const Job& job) {
  const auto handle = scans.prepare_queries(queries, corpus, job);
  const Index k = options.k;
  const Index depth = std::min(k, corpus.rows().rows());
  const double floor = options.min_score.value_or(-std::numeric_limits<double>::infinity());
  Index fallback = 0;
  std::vector<std::vector<std::int32_t>> barred;
  Index silent = 0;
  const auto ask = [&](Index query) -> std::optional<ScanQuery> {
    if (!filters.asks(query)) {
      write_row({}, k, indices + query * k, scores + query * k);
      ++silent;
      return std::nullopt;
    }
    barred.push_back(barred_rows(options.exclude, options.self, query));
    return ScanQuery{.query = query,
                     .depth = depth,
                     .floor = floor,
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
    const std::vector<Ranking> rankings = scans.scan(request, job);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const Index at = asked[i].query * k;
      fallback += rankings[i].rescanned;
      write_row(rankings[i].admissible, k, indices + at, scores + at);
    }
    barred.clear();
    filters.clear();
  };
  const auto bytes_of = [&](const ScanQuery& query) {
    return scan_bytes(query, queries.cols(), {}) + filters.bytes();
  };
  const Index budget =
      options.choice.is_set() ? job.buffer_bytes : request_budget(queries, corpus, depth, job);
  for_batches(queries.rows(), budget, job, bytes_of, ask, run);
  return {.certified = queries.rows() - silent - fallback,
          .fallback = fallback,
          .zero_queries = handle->zero_rows(),
          .zero_rows = corpus.zero_rows()};
}

Proof top_k(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
            const TopKOptions& options, std::int32_t* indices, float* scores, const Job& job) {
  RowFilters filters(options.choice, corpus.rows().rows());
  return best_rows(scans, queries, corpus, options, filters, indices, scores, job);
}

}  // namespace gemmine
