#pragma once

// Constants of the bounds of labels (docs/math/k-means.md), the same on every device.
namespace gemmine::label_bound {

inline constexpr double float_rounding = 0x1p-24;
inline constexpr double double_rounding = 0x1p-53;
inline constexpr double upwards = 1 + 1e-6;  // exceeds the rounding error of a bound
inline constexpr double underflow = 1e-20;   // exceeds the loss of subnormal products
inline constexpr double roundings_beside =
    16;  // of centring, of ‖c‖² and of the sums of the bounds

// Error bound of a float32 sum of this many products in any order, as a share of Σ|products|.
inline double rounding_of(double products) {
  const double share = (products + roundings_beside) * float_rounding;
  return share < 0.5 ? share / (1 - share) : 1;
}

}  // namespace gemmine::label_bound
