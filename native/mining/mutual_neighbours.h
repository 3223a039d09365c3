#pragma once

#include "mining/range_search.h"

namespace gemmine {

// The pairs of a query and a row in which each is among the k best of the other, by query. The
// proof counts the lists of both sides: one for each query and each row.
FoundRows mutual_neighbours(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                            const TopKOptions& options, const Job& job);

}  // namespace gemmine
