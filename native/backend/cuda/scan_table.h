#pragma once

#include "backend/cuda/abi.h"

// Kernels of scans. Pointers in requests are device memory unless a comment says host.
namespace gemmine::cuda {

struct ScanTable {
  std::int32_t kernels;  // number of functions below
};

}  // namespace gemmine::cuda
