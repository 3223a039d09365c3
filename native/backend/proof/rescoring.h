#pragma once

#include "backend/proof/candidates.h"

namespace gemmine {

// Canonical scores of one query with rows of the corpus; they have the same bits on every machine.
class RowScorer {
 public:
  virtual ~RowScorer() = default;
  virtual void score(const std::int32_t* rows, Index count, double* scores) = 0;
};

// Turns a scan's bounds into canonical scores. It scores only the rows with an upper bound that
// reaches the score of the last place; no other row can belong to the answer.
Ranking rank_rows(const ScanRequest& request, const ScanQuery& query, ScanResult& scanned,
                  RowScorer& scorer);

}  // namespace gemmine
