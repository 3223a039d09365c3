#pragma once

#include <span>

#include "backend/cpu/canonical.h"
#include "backend/cpu/scan_queries.h"

namespace gemmine::cpu {

CanonicalScorer scorer_of(const CpuQueries& queries);

// Ranks all rows by canonical scores, for queries that no scan decided.
void scan_canonically(const ScanRequest& request, const CpuQueries& queries,
                      std::span<const ScanQuery* const> asked, std::vector<Ranking>& rankings,
                      const Job& job);

}  // namespace gemmine::cpu
