#pragma once

#include "mining/candidates.h"

namespace gemmine {

// The answer to one of several options.
struct Answer {
  const MineOptions& options;
  const MinedArrays& out;
  MinedCounts counts;
};

// Before any query: nothing is counted.
MinedCounts nothing_counted(Index zero_queries, Index zero_rows);
// Writes the padding of `queries` queries.
void clear(const Answer& answer, Index queries);
// Judges the candidates of one query, selects its negatives, writes and counts them.
void settle(Answer& answer, Index query, const QueryCandidates& candidates);

}  // namespace gemmine
