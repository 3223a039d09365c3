#pragma once

#include <vector>

#include "backend/scans.h"

namespace gemmine::cuda {

// Sums of exponentials over a corpus (docs/math/log-sum-exp.md).
std::vector<BoundedValue> log_sum_exp(const LogSumExpRequest& request, const Job& job);

}  // namespace gemmine::cuda
