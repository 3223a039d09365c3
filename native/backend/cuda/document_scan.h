#pragma once

#include <vector>

#include "backend/scans.h"

namespace gemmine::cuda {

// Late interaction (docs/math/max-sim.md): a query and a document are segments of rows. Bounds of
// documents are listed on the device, as rows are in a scan; canonical scores of the listed ones
// prove the answer.
std::vector<BestSegments> segment_max(const SegmentMaxRequest& request, const Job& job);

}  // namespace gemmine::cuda
