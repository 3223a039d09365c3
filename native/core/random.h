#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace gemmine {

// Philox 4x32-10: Salmon, Moraes, Dror & Shaw (2011), "Parallel random numbers: as easy as 1, 2,
// 3". A draw is a pure function of (seed, stream, row, item), so results do not depend on the order
// of the threads. Each use within a job has its own stream.
class CounterRandom {
 public:
  CounterRandom(std::uint64_t seed, std::uint32_t stream) : seed_(seed), stream_(stream) {}

  std::uint64_t bits(std::uint64_t row, std::uint32_t item) const {
    std::array<std::uint32_t, 4> x = {item, stream_, static_cast<std::uint32_t>(row),
                                      static_cast<std::uint32_t>(row >> 32)};
    std::uint32_t k0 = static_cast<std::uint32_t>(seed_);
    std::uint32_t k1 = static_cast<std::uint32_t>(seed_ >> 32);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * x[0];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * x[2];
      x = {static_cast<std::uint32_t>(p1 >> 32) ^ x[1] ^ k0, static_cast<std::uint32_t>(p1),
           static_cast<std::uint32_t>(p0 >> 32) ^ x[3] ^ k1, static_cast<std::uint32_t>(p0)};
    }
    return (std::uint64_t{x[1]} << 32) | x[0];
  }

  // In (0, 1): never an end point, so that logarithms are finite.
  double uniform(std::uint64_t row, std::uint32_t item) const {
    return (static_cast<double>(bits(row, item) >> 12) + 0.5) * 0x1p-52;
  }

  // Standard normal, by Box and Muller; libm's last bits may differ between platforms.
  double normal(std::uint64_t row, std::uint32_t item) const {
    const std::uint64_t word = bits(row, item);
    const double u = (static_cast<double>(word >> 32) + 0.5) * 0x1p-32;
    const double v = (static_cast<double>(word & 0xFFFFFFFFu) + 0.5) * 0x1p-32;
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
  }

 private:
  std::uint64_t seed_;
  std::uint32_t stream_;
};

}  // namespace gemmine
