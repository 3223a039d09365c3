#pragma once

#include "backend/cuda/device/platform.h"

namespace gemmine::cuda::device {

// The bits of CounterRandom (core/random.h), which a test compares.
__device__ inline std::uint64_t counter_bits(std::uint64_t seed, std::uint32_t stream,
                                             std::uint64_t row, std::uint32_t item) {
  std::uint32_t x0 = item, x1 = stream;
  auto x2 = static_cast<std::uint32_t>(row), x3 = static_cast<std::uint32_t>(row >> 32);
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * x0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * x2;
    x0 = static_cast<std::uint32_t>(p1 >> 32) ^ x1 ^ k0;
    x1 = static_cast<std::uint32_t>(p1);
    x2 = static_cast<std::uint32_t>(p0 >> 32) ^ x3 ^ k1;
    x3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return (std::uint64_t{x1} << 32) | x0;
}

// In (0, 1).
__device__ inline double counter_uniform(std::uint64_t seed, std::uint32_t stream,
                                         std::uint64_t row, std::uint32_t item) {
  return (static_cast<double>(counter_bits(seed, stream, row, item) >> 12) + 0.5) * 0x1p-52;
}

}  // namespace gemmine::cuda::device
