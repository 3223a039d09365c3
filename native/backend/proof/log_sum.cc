#include "backend/proof/log_sum.h"

#include <algorithm>
#include <cmath>

#include "backend/proof/candidates.h"

namespace gemmine {

void LogSum::merge(const LogSum& other, double scale) {
  if (other.sum == 0) return;
  const bool rises = other.largest > largest;
  const double factor = std::exp(-std::abs(other.largest - largest) * scale);
  const double own = rises ? factor : 1.0;
  const double others = rises ? 1.0 : factor;
  sum = sum * own + other.sum * others;
  weighted = weighted * own + other.weighted * others;
  largest = std::max(largest, other.largest);
  widest = std::max(widest, other.widest);
}

// Rounding errors: each exponent has three roundings and is at most 700 in magnitude. Each term has
// 7 additions in its block of 32 rows. Every further block of 32 rows and every merge adds two
// roundings and an exp with an error of at most 4 ulp. γ_{rows/2 + 4096} bounds all of them.
BoundedValue log_sum_value(const LogSum& total, const ScanBound& bound, double temperature,
                           Index rows) {
  if (total.sum == 0) return {.value = -std::numeric_limits<double>::infinity(), .error = 0};
  constexpr double rounded = 1 + 0x1p-20;
  constexpr double roundoff = 0x1p-53;
  const double scale = bound.unit / temperature;
  const double top = total.largest * scale;
  const double shift = bound.offset * scale;
  const double log = std::log(total.sum);
  const double mean = (total.weighted / total.sum + bound.error) * scale * rounded;
  const double most = (total.widest + bound.error) * scale * rounded;
  const double terms = static_cast<double>(rows) / 2 + 4096 + 3 * -smallest_exponent;
  const double last = 4 * (std::abs(top) + std::abs(shift) + std::abs(log));
  return {.value = top + shift + log,
          .error = (most <= 1 ? mean * (1 + most) : most) + (terms + last) * roundoff * rounded};
}

}  // namespace gemmine
