#pragma once

#include "backend/backend.h"
#include "backend/cpu/kernels.h"

namespace gemmine::cpu {

// A block's sweep as the kernels want it. The small matrices and the scratch lie in memory of the
// calling thread, until its next problem.
SweepProblem gauss_seidel_problem(HostView<const float> cross, const NormalMatrix& normal,
                                  const StepOptions& options, HostView<float> factor);
SweepProblem multiplicative_problem(HostView<const float> cross, const NormalMatrix& normal,
                                    const StepOptions& options, HostView<float> factor);
SweepProblem sign_split_problem(HostView<const float> cross, const NormalMatrix& normal,
                                const StepOptions& options, HostView<float> factor);

}  // namespace gemmine::cpu
