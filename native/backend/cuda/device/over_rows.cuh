#pragma once

#include "backend/cuda/device/platform.h"

namespace gemmine::cuda::device {

inline constexpr int row_threads = 128;
inline constexpr int row_warps = row_threads / 32;

// The same bits in every lane.
template <class T>
__device__ T warp_sum(T value) {
  for (int bits = 16; bits > 0; bits /= 2) value += __shfl_xor_sync(whole_warp, value, bits);
  return value;
}

// body(i, lane) for every row i, a warp each.
template <class Body>
__global__ void __launch_bounds__(row_threads) over_rows(Wide rows, Body body) {
  const Wide step = Wide{gridDim.x} * row_warps;
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (Wide i = Wide{blockIdx.x} * row_warps + threadIdx.x / 32; i < rows; i += step) body(i, lane);
}

template <class Body>
Code for_rows(Queue* queue, Wide rows, const char* name, const Body& body) {
  if (rows == 0) return Code::ok;
  return launch(queue, blocks_for(rows, row_warps), row_threads, 0, name, over_rows<Body>, rows,
                body);
}

}  // namespace gemmine::cuda::device
