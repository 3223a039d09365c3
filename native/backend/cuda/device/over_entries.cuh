#pragma once

#include "backend/cuda/device/platform.h"

namespace gemmine::cuda::device {

inline constexpr int entry_threads = 256;

template <class Body>
__global__ void __launch_bounds__(entry_threads) over_entries(Wide rows, Wide cols, Body body) {
  const Wide all = rows * cols;
  const Wide step = Wide{gridDim.x} * blockDim.x;
  for (Wide at = Wide{blockIdx.x} * blockDim.x + threadIdx.x; at < all; at += step)
    body(at / cols, at % cols);
}

// Calls body(i, j) for every entry of [rows×cols], in any order. Neighbouring threads have
// neighbouring columns.
template <class Body>
Code for_entries(Queue* queue, Wide rows, Wide cols, const char* name, const Body& body) {
  if (rows * cols == 0) return Code::ok;
  const int threads = rows * cols <= 64 ? 64 : entry_threads;
  return launch(queue, blocks_for(rows * cols, threads), threads, 0, name, over_entries<Body>, rows,
                cols, body);
}

}  // namespace gemmine::cuda::device
