#pragma once

#include <vector>

#include "backend/scans.h"

namespace gemmine::cpu {

// See Scans. Tiles are in float32 for every format of the corpus.
std::vector<BoundedValue> log_sum_exp(const LogSumExpRequest& request, const Job& job);

}  // namespace gemmine::cpu
