#pragma once

#include "backend/cpu/kernels.h"
#include "backend/passes.h"

namespace gemmine::cpu {

// See Passes::settle_codes.
void settle_codes(const Kernels& kernels, const LeastSquares& problem, BackendView<float> W,
                  const Job& job);

}  // namespace gemmine::cpu
