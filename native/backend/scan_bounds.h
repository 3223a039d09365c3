#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/matrix.h"

// Rounding errors of a float32 scan, proven (Higham, "Accuracy and Stability of Numerical
// Algorithms", section 3.1). A scan multiplies q̂ and ĉ [d], float32 roundings of a scaled query
// q and a scaled and centred row c. With w = 2^-24 and γ_m = m w / (1 − m w), in whatever order the
// sum is taken, with or without fused multiply-add:
//   |fl(q̂·ĉ) − q·c| <= γ_{d+2} ‖q̂‖‖ĉ‖ + underflow,
// and three additions and products of the test itself bring γ_{d+2} to γ_{d+6}; γ_{d+8} leaves room
// for norms that are rounded. Scaled norms are at most 4, so underflow is below d·2^-126. Sums in
// float64 (the canonical score, offsets, norms) add less than (d + 32)·2^-52 of their terms' norms.
namespace gemmine::bounds {

inline constexpr double rounding = 0x1p-24;
inline constexpr Index largest_dimension = Index{1} << 20;  // far below 1/w, where γ ends

inline double underflow(Index d) { return static_cast<double>(d) * 0x1p-126; }
inline double wide_rounding(Index d) { return static_cast<double>(d + 32) * 0x1p-52; }

// Multiplies ‖q̂‖‖ĉ‖.
inline double product_error(Index d) {
  const double m = static_cast<double>(d + 8) * rounding;
  return m / (1 - m) + wide_rounding(d);
}

// Multiplies ‖q̂‖, for what float64 does to the query's constant: ‖ĉ‖ and the centre's norm
// together are at most 8.
inline double constant_error(Index d) { return 8 * wide_rounding(d); }

// −½‖q − c‖² = q·c − ½‖c‖² − ½‖q‖². Rounding either side once changes it by at most
// w (‖q‖ + ‖c‖)² (1 + w); the products' part is in product_error, these multiply ‖ĉ‖² and ‖q̂‖².
inline double squared_norm_error(Index d) { return 4 * rounding + wide_rounding(d); }

// The nearest float32 on one side.
inline float float_below(double x) {
  constexpr double largest = std::numeric_limits<float>::max();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (std::isinf(x) || x < -largest) return x > 0 ? infinity : -infinity;
  const auto nearest = static_cast<float>(std::min(x, largest));
  return nearest <= x ? nearest : std::nextafter(nearest, -infinity);
}
inline float float_above(double x) { return -float_below(-x); }

}  // namespace gemmine::bounds
