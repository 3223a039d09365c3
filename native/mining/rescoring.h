#pragma once

#include "backend/scan.h"

namespace gemmine {

// Turns a scan's bounds into canonical scores: only rows whose upper bound reaches the score of the
// last place are scored, so that nothing that is left out can belong to the answer.
Ranking rank_rows(const ScanRequest& request, const ScanQuery& query, ScanResult& scanned,
                  RowScorer& scorer);

}  // namespace gemmine
