#pragma once

#include <cstdint>

#include "core/matrix.h"
#include "core/random.h"

namespace gemmine {

// What an entry x contributes beside the model's v. Févotte & Idier (2011), "Algorithms for
// nonnegative matrix factorization with the β-divergence", Neural Computation 23(9).
enum class LossKind {
  frobenius,  // (x − v)², by cross products and a normal matrix; all entries count
  // d_β(x, v): ½(x − v)² for β = 2, x ln(x/v) − x + v for 1, x/v − ln(x/v) − 1 for 0; by numerators
  // Σ x v^(β−2) h and denominators Σ v^(β−1) h of every element, so that entries can be left out.
  divergence,
};

struct Loss {
  LossKind kind;
  double beta;  // 2 for frobenius
};
inline constexpr Loss frobenius_loss{LossKind::frobenius, 2};

// Which entries count: those that every part of a mask lets pass. Entries that do not are not read.
struct Mask {
  const std::uint8_t* seen;  // [n×d], 0: not seen; null: all
  bool nan_is_missing;
  bool implicit_is_missing;  // of a sparse X, what is not stored
  double held_out;           // this share of the entries, chosen by `seed`; 0: none
  std::uint64_t seed;

  bool all_pass() const {
    return seen == nullptr && !nan_is_missing && !implicit_is_missing && held_out == 0;
  }
};
inline constexpr Mask no_mask{nullptr, false, false, 0, 0};

// Stored entries become x·(1 + amplitude·(2u − 1)), rounded once; u in (0, 1) is a function of
// (seed, row, column) alone.
struct Noise {
  double amplitude;  // 0: none
  std::uint64_t seed;
};
inline constexpr Noise no_noise{0, 0};

// The streams of CounterRandom that entries use.
inline constexpr std::uint32_t noise_stream = 1000;
inline constexpr std::uint32_t hold_out_stream = 1001;

inline float perturbed(float x, const Noise& noise, Index row, Index column) {
  const CounterRandom random(noise.seed, noise_stream);
  const double u =
      random.uniform(static_cast<std::uint64_t>(row), static_cast<std::uint32_t>(column));
  return static_cast<float>(x * (1 + noise.amplitude * (2 * u - 1)));
}

inline bool is_held_out(const Mask& mask, Index row, Index column) {
  if (mask.held_out == 0) return false;
  const CounterRandom random(mask.seed, hold_out_stream);
  return random.uniform(static_cast<std::uint64_t>(row), static_cast<std::uint32_t>(column)) <
         mask.held_out;
}

}  // namespace gemmine
