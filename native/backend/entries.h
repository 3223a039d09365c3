#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "backend/loss.h"
#include "core/matrix.h"
#include "core/random.h"

namespace gemmine {

// Selects the entries that count: those that no part of the mask excludes. Excluded entries are not
// read.
struct Mask {
  const std::uint8_t* seen;  // [n×d], 0: excluded; null: none excluded
  bool nan_is_missing;
  bool implicit_is_missing;  // entries that a sparse X does not store are excluded
  double held_out;           // share of the entries that is excluded, chosen by `seed`; 0: none
  std::uint64_t seed;
  bool only_held_out = false;  // count the entries that are held out instead of the others

  bool all_pass() const {
    return seen == nullptr && !nan_is_missing && !implicit_is_missing && held_out == 0;
  }
};
inline constexpr Mask no_mask{nullptr, false, false, 0, 0};

// Stored entries become x·(1 + amplitude·(2u − 1)), rounded once and finite if x is; u in (0, 1)
// depends only on (seed, row, column).
struct Noise {
  double amplitude;  // 0: none
  std::uint64_t seed;
};
inline constexpr Noise no_noise{0, 0};

// Streams of CounterRandom for entries.
inline constexpr std::uint32_t noise_stream = 1000;
inline constexpr std::uint32_t hold_out_stream = 1001;

inline float perturbed(float x, const Noise& noise, Index row, Index column) {
  const CounterRandom random(noise.seed, noise_stream);
  const double u =
      random.uniform(static_cast<std::uint64_t>(row), static_cast<std::uint32_t>(column));
  constexpr double largest = std::numeric_limits<float>::max();
  if (!std::isfinite(x)) return x;
  return static_cast<float>(std::clamp(x * (1 + noise.amplitude * (2 * u - 1)), -largest, largest));
}

// Whether the share that is chosen by the seed excludes an entry.
inline bool is_held_out(const Mask& mask, Index row, Index column) {
  if (mask.held_out == 0) return false;
  const CounterRandom random(mask.seed, hold_out_stream);
  const double u =
      random.uniform(static_cast<std::uint64_t>(row), static_cast<std::uint32_t>(column));
  return (u < mask.held_out) != mask.only_held_out;
}

}  // namespace gemmine
