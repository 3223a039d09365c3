#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/matrix.h"

// Proven bounds of a scan's rounding errors (Higham, "Accuracy and Stability of Numerical
// Algorithms", section 3.1). q and c [d] are the float32 roundings of a scaled query and of a
// scaled and centred row; q̂ and ĉ are q and c in the scan's format; u >= w = 2^-24 bounds the
// rounding of each operation. With γ_m = m u / (1 − m u), for any order of the sum, fused or not,
//   |fl(q̂·ĉ) − q·c| <= γ_d ‖q̂‖‖ĉ‖ + ‖q − q̂‖‖c‖ + ‖q̂‖‖c − ĉ‖ + underflow;
// the roundings of q and c raise γ_d to γ_{d+2}; three additions and products of the test raise it
// to γ_{d+6}; γ_{d+8} leaves room for rounded norms. Scaled norms of rows are at most 4, and
// results below 2^-126 may become zero, so underflow is below d·2^-124. Sums in float64 (the
// canonical score, offsets, norms) add less than (d + 32)·2^-52 times the norms of their terms.
namespace gemmine::bounds {

inline constexpr double float32_roundoff = 0x1p-24;         // w
inline constexpr Index largest_dimension = Index{1} << 20;  // γ needs m < 1/u

inline double underflow(Index d) { return static_cast<double>(d) * 0x1p-124; }
inline double wide_rounding(Index d) { return static_cast<double>(d + 32) * 0x1p-52; }

// Factor of ‖q̂‖‖ĉ‖ in the bound.
inline double product_error(Index d, double unit_roundoff) {
  const double m = static_cast<double>(d + 8) * unit_roundoff;
  return m / (1 - m) + wide_rounding(d);
}

// Factor of ‖q‖, for the float64 roundings of the query's constant: ‖c‖ and the centre's norm
// together are at most 8.
inline double constant_error(Index d) { return 8 * wide_rounding(d); }

// −½‖q − c‖² = q·c − ½‖c‖² − ½‖q‖². One rounding of q and of c changes it by at most w (‖q‖ + ‖c‖)²
// (1 + w). The part of the products is in product_error; this is the factor of ‖c‖² and ‖q‖².
inline double squared_norm_error(Index d) { return 4 * float32_roundoff + wide_rounding(d); }

// The nearest float32 below or above.
inline float float_below(double x) {
  constexpr double largest = std::numeric_limits<float>::max();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  if (std::isinf(x) || x < -largest) return x > 0 ? infinity : -infinity;
  const auto nearest = static_cast<float>(std::min(x, largest));
  return nearest <= x ? nearest : std::nextafter(nearest, -infinity);
}
inline float float_above(double x) { return -float_below(-x); }

}  // namespace gemmine::bounds
