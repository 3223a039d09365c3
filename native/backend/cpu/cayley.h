#pragma once

#include <vector>

#include "core/job.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// See StepKind::cayley. S [d×k], Ht [d×k] with columns orthonormal up to float32 rounding.
void cayley_steps(const std::vector<double>& S, Index sweeps, HostView<float> Ht, const Job& job);

}  // namespace gemmine::cpu
