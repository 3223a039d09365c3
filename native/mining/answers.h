#pragma once

#include "mining/candidates.h"
#include "mining/preference.h"

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
// Writes and counts what was found for one query.
void settle(Answer& answer, Index query, const Population& population, const Verdict& verdict,
            const Selection& selection);

}  // namespace gemmine
