#pragma once

#include "mining/mine.h"

namespace gemmine {

// As top_k with exchanged sides: the k best queries of each row. indices and scores are [rows × k].
// The options and the zero rows of the proof keep the original sides. `live`: the rows that were
// not removed; others have no answer, and the proof does not count them.
Proof reverse_top_k(Scans& scans, const RowSource& queries, const RowSource& rows, RowFilter live,
                    Metric metric, const TopKOptions& options, std::int32_t* indices, float* scores,
                    const Job& job);

}  // namespace gemmine
