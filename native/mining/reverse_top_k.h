#pragma once

#include "mining/mine.h"

namespace gemmine {

// As top_k with the sides exchanged: the k best queries of each row. indices and scores are
// [rows × k]; the options are those of the queries, and so are the proof's zero rows.
Proof reverse_top_k(Scans& scans, const RowSource& queries, const RowSource& rows, Metric metric,
                    const TopKOptions& options, std::int32_t* indices, float* scores,
                    const Job& job);

}  // namespace gemmine
