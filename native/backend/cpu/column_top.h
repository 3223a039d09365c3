#pragma once

#include "backend/scans.h"

namespace gemmine::cpu {

// Sides of fewer rows make too few tasks.
inline constexpr Index fewest_joined = 768;

// Whether tiles can serve a request and its reverse, and pay.
bool is_join(const ScanRequest& request, const ScanRequest& reverse);

BothWays column_top(const ScanRequest& request, const ScanRequest& reverse, const Job& job);

}  // namespace gemmine::cpu
