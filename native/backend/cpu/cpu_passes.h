#pragma once

#include <memory>

#include "backend/cpu/kernels.h"
#include "backend/passes.h"

namespace gemmine::cpu {

// OpenBLAS products, kernels for one instruction set, and the process's pool.
std::unique_ptr<Passes> make_passes(const Kernels& kernels);

}  // namespace gemmine::cpu
