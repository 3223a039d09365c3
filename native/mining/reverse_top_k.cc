#include "mining/reverse_top_k.h"

#include <utility>

#include "mining/reversed_lists.h"

namespace gemmine {

Proof reverse_top_k(Scans& scans, const RowSource& queries, const RowSource& rows, Metric metric,
                    const TopKOptions& options, std::int32_t* indices, float* scores,
                    const Job& job) {
  const ReversedLists reversed(options.exclude, options.self, queries.rows(), rows.rows());
  const auto corpus = scans.prepare_corpus(queries, metric, false, job);
  Proof proof =
      top_k(scans, rows, *corpus,
            {.k = options.k,
             .self = {.same = options.self.rows == nullptr && options.self.same, .rows = nullptr},
             .exclude = reversed.lists()},
            indices, scores, job);
  std::swap(proof.zero_queries, proof.zero_rows);
  return proof;
}

}  // namespace gemmine
