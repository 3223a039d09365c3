#pragma once

#include "core/job.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// See Passes. Each row is within the span of those up to it.
void orthonormalise_rows(HostView<double> A, const Job& job);

}  // namespace gemmine::cpu
