#include "mining/reverse_top_k.h"

#include <utility>

#include "mining/reversed_lists.h"
#include "mining/top_k.h"

namespace gemmine {

Proof reverse_top_k(Scans& scans, const RowSource& queries, const RowSource& rows, RowFilter live,
                    Metric metric, const TopKOptions& options, std::int32_t* indices, float* scores,
                    const Job& job) {
  const ReversedLists reversed(options.exclude, options.self, queries.rows(), rows.rows());
  const auto corpus = scans.prepare_corpus(queries, metric, false, job);
  ReversedFilters filters(options.choice, live, queries.rows(), rows.rows());
  const TopKOptions turned{
      .k = options.k,
      .self = {.same = options.self.rows == nullptr && options.self.same, .rows = nullptr},
      .exclude = reversed.lists(),
      .choice = options.choice};
  Proof proof = best_rows(scans, rows, *corpus, turned, filters, indices, scores, job);
  proof.certified = count_rows(live, rows.rows()) - proof.fallback;
  std::swap(proof.zero_queries, proof.zero_rows);
  return proof;
}

}  // namespace gemmine
