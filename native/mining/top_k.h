#pragma once

#include "mining/mine.h"

namespace gemmine {

// As top_k, with the given filters instead of those of the options. The proof counts the rows that
// ask; those that do not get an answer without rows.
Proof best_rows(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                const TopKOptions& options, QuestionFilters& filters, std::int32_t* indices,
                float* scores, const Job& job);

}  // namespace gemmine
