#pragma once

#include "backend/cuda/device/platform.h"

// Canonical sums in float64: eight lanes hold the sums over t mod 8, and exchanges add them as
// ((s0+s1)+(s2+s3))+((s4+s5)+(s6+s7)), because a + b has the bits of b + a. Every operation rounds
// on its own, so the bits are the CPU's.
namespace gemmine::cuda::device {

inline constexpr int canonical_lanes = 8;

__device__ inline double canonical_tree(double sum) {
  for (int bits = 1; bits < canonical_lanes; bits *= 2)
    sum = __dadd_rn(sum, __shfl_xor_sync(whole_warp, sum, bits));
  return sum;
}

__device__ inline double canonical_dot(const float* a, const float* b, Wide d, int lane) {
  double sum = 0;
  for (Wide t = lane; t < d; t += canonical_lanes)
    sum = __dadd_rn(sum, __dmul_rn(double{a[t]}, double{b[t]}));
  return sum;
}

__device__ inline double canonical_distance(const float* a, const float* b, Wide d, int lane) {
  double sum = 0;
  for (Wide t = lane; t < d; t += canonical_lanes) {
    const double gap = __dsub_rn(double{a[t]}, double{b[t]});
    sum = __dadd_rn(sum, __dmul_rn(gap, gap));
  }
  return sum;
}

}  // namespace gemmine::cuda::device
