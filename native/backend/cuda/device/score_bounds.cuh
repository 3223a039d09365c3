#pragma once

#include "backend/cuda/device/platform.h"
#include "backend/cuda/scan_table.h"

namespace gemmine::cuda::device {

__device__ inline float float_above(double x) {
  const auto nearest = static_cast<float>(x);
  return double{nearest} >= x ? nearest : nextafterf(nearest, INFINITY);
}
__device__ inline float float_below(double x) { return -float_above(-x); }

struct Bounds {
  float upper, lower;
};

// Bounds of the score that a tile has as `stored`, in the units of the query, which is an AskedScan
// or a TileLane.
template <class Query>
__device__ inline Bounds bounds_of(const Query& query, const RowBound& row, float stored) {
  const float score = stored * query.scale * row.scale;
  const float error = query.norm * row.norm + query.residual * row.residual;
  return {(score + row.up) + error, (score + row.down) - error};
}

}  // namespace gemmine::cuda::device
