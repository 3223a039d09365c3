#pragma once

#include "backend/scans.h"

namespace gemmine::cpu {

// Sides of fewer rows make too few tasks.
inline constexpr Index fewest_joined = 768;

// Whether tiles can serve a request and its reverse, and pay. `memory` is in bytes: sides whose
// lists take more are cut into parts.
bool is_join(const ScanRequest& request, const ScanRequest& reverse, Index memory = largest_join);

// Of a join.
BothWays column_top(const ScanRequest& request, const ScanRequest& reverse, const Job& job,
                    Index memory = largest_join);

}  // namespace gemmine::cpu
