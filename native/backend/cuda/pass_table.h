#pragma once

#include "backend/cuda/abi.h"

// Kernels of passes. Pointers in requests are device memory unless a comment says host; matrices
// are row-major, strides are in elements.
namespace gemmine::cuda {

// to_ij = float32(from_ij · by) added to `to` in float64, for a block of float32 sums.
struct AddToDouble {
  std::int64_t rows, cols;
  const float* from;
  std::int64_t stride;
  double by;
  double* to;  // [rows×cols]
};

struct PassTable {
  Code (*add_to_double)(Queue* queue, const AddToDouble* request);
};

}  // namespace gemmine::cuda
