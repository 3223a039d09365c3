#pragma once

#include "backend/scans.h"

namespace gemmine::cuda {

// Whether column_top() can answer both requests: all rows of both sides ask for their best.
bool shares_tiles(const ScanRequest& request, const ScanRequest& reverse);

// The best rows of queries and the best queries of rows: each tile is computed once for both.
BothWays column_top(const ScanRequest& request, const ScanRequest& reverse, const Job& job);

}  // namespace gemmine::cuda
