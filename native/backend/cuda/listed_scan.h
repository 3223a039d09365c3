#pragma once

#include <vector>

#include "backend/cuda/scan_queries.h"
#include "backend/proof/questions.h"

namespace gemmine::cuda {

// Ranks questions by the canonical scores of all rows in their filters, in ascending order of
// queries.
void rank_by_all_scores(const ScanRequest& request, const Asked& asked,
                        std::vector<Ranking>& rankings, const Job& job);

}  // namespace gemmine::cuda
