#pragma once

#include "mining/candidates.h"
#include "mining/preference.h"
#include "mining/retrieval.h"

namespace gemmine {

// The answer to one of several options.
struct Answer {
  const MineOptions& options;
  const MinedArrays& out;
  MinedCounts counts;
};

// Before any query: nothing is counted.
MinedCounts nothing_counted(Index zero_queries, Index zero_rows);
// Writes the padding of some lists.
void clear(const Answer& answer, Index lists);
// Writes and counts what was found for one list.
void settle(Answer& answer, const AnswerList& list, const Population& population,
            const Verdict& verdict, const Selection& selection);

}  // namespace gemmine
