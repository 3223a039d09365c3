#pragma once

#include <vector>

#include "backend/scans.h"

namespace gemmine::cpu {

// See Scans. Scans in each format of the corpus, from the first to the canonical one.
std::vector<BestSegments> segment_max(const SegmentMaxRequest& request, const Job& job);

}  // namespace gemmine::cpu
