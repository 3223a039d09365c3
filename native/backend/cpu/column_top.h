#pragma once

#include "backend/scans.h"

namespace gemmine::cpu {

// With fewer rows a side gives too few tasks.
inline constexpr Index fewest_joined = 768;

// Whether tiles can serve a request and its reverse and save time. Sides whose lists take more than
// largest_join() are cut into parts.
bool is_join(const ScanRequest& request, const ScanRequest& reverse, const Job& job);

// Answers both requests by a join.
BothWays column_top(const ScanRequest& request, const ScanRequest& reverse, const Job& job);

}  // namespace gemmine::cpu
