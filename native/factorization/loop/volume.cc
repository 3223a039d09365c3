#include "factorization/loop/volume.h"

#include <algorithm>
#include <cmath>

namespace gemmine {
namespace {

// The lower Cholesky factor L of I + G/offset, whose pivots are at least 1 but for rounding.
std::vector<double> cholesky(const std::vector<double>& gram, Index k, double offset) {
  std::vector<double> L(static_cast<std::size_t>(k * k));
  for (Index j = 0; j < k; ++j)
    for (Index i = j; i < k; ++i) {
      double rest = gram[i * k + j] / offset + (i == j);
      for (Index t = 0; t < j; ++t) rest -= L[i * k + t] * L[j * k + t];
      L[i * k + j] = i == j ? std::sqrt(std::max(rest, 1.0)) : rest / L[j * (k + 1)];
    }
  return L;
}

}  // namespace

double volume_weight(const VolumeOptions& options, double loss, double log_volume) {
  return log_volume > 0 ? options.share * loss / log_volume : 0;
}

double log_volume(const std::vector<double>& gram, Index k, double offset) {
  const std::vector<double> L = cholesky(gram, k, offset);
  double sum = 0;
  for (Index j = 0; j < k; ++j) sum += 2 * std::log(L[j * (k + 1)]);
  return sum;
}

void add_volume_slope(const std::vector<double>& gram, Index k, double offset, double weight,
                      std::vector<double>& to) {
  const std::vector<double> L = cholesky(gram, k, offset);
  std::vector<double> inverse(static_cast<std::size_t>(k * k));  // L⁻¹, lower
  for (Index j = 0; j < k; ++j)
    for (Index i = j; i < k; ++i) {
      double rest = i == j;
      for (Index t = j; t < i; ++t) rest -= L[i * k + t] * inverse[t * k + j];
      inverse[i * k + j] = rest / L[i * (k + 1)];
    }
  for (Index a = 0; a < k; ++a)
    for (Index b = 0; b < k; ++b) {
      double sum = 0;
      for (Index t = std::max(a, b); t < k; ++t) sum += inverse[t * k + a] * inverse[t * k + b];
      to[a * k + b] += weight / offset * sum;
    }
}

}  // namespace gemmine
