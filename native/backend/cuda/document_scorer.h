#pragma once

#include <span>
#include <vector>

#include "backend/cuda/scan_queries.h"

namespace gemmine::cuda {

// Canonical scores of one query segment with documents that have rows; the device scores their
// pairs.
std::vector<double> score_documents(const SegmentMaxRequest& request, Index query_segment,
                                    std::span<const std::int32_t> documents, const Job& job);

}  // namespace gemmine::cuda
