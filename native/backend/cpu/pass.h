#pragma once

#include "backend/cpu/kernels.h"
#include "backend/passes.h"

namespace gemmine::cpu {

// See Passes::pass and Passes::examine.
void run_pass(const Kernels& kernels, const Pass& pass, const Job& job);
SourceNorm examine(const Kernels& kernels, const Examined& examined, const Job& job);

}  // namespace gemmine::cpu
