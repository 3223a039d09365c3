#pragma once

#include <cmath>

namespace gemmine {

// log(x) for finite x > 0, with the same bits on every machine; the last bits of libm's log differ
// between platforms. x = m·2^e with m in [√½, √2), and log m = 2 artanh(f) with f = (m − 1)/(m +
// 1), |f| < .172: the terms that the series leaves out are below 1e-18 of the sum.
inline double portable_log(double x) {
  constexpr double ln2 = 0.69314718055994530942;
  constexpr double sqrt_half = 0.70710678118654752440;
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < sqrt_half) {
    m *= 2;
    --exponent;
  }
  const double f = (m - 1) / (m + 1);
  const double square = f * f;
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
  return exponent * ln2 + 2 * f * sum;
}

}  // namespace gemmine
