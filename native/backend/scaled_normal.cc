#include "backend/scaled_normal.h"

#include <cmath>
#include <limits>

#include "core/linear_algebra.h"
#include "core/pool.h"

namespace gemmine {

ScaledNormal::ScaledNormal(const NormalMatrix& normal, double l2)
    : k(normal.size()), inverse_root(static_cast<std::size_t>(k)), entries(normal.gram()) {
  for (Index j = 0; j < k; ++j) {
    entries[j * (k + 1)] += l2;
    const double diagonal = entries[j * (k + 1)];
    const bool usable = diagonal >= double{std::numeric_limits<float>::min()};
    inverse_root[j] = usable ? 1 / std::sqrt(diagonal) : 0;
  }
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < k; ++j)
      entries[i * k + j] = i == j ? (inverse_root[j] > 0 ? 1 : 0)
                                  : entries[i * k + j] * inverse_root[i] * inverse_root[j];
}

// ‖A‖² is the sum of λ² of a symmetric A; three squarings make it that of λ^16. A is divided by its
// norm before each, so that no power overflows.
double ScaledNormal::largest_eigenvalue_bound() const {
  std::vector<double> A = entries;
  std::vector<double> square(A.size());
  double bound = 1;
  double power = 1;
  for (int squaring = 0;; ++squaring, power /= 2) {
    double sum = 0;
    for (const double value : A) sum += value * value;
    const double norm = std::sqrt(sum);
    bound *= std::pow(norm, power);
    if (squaring == 3 || norm == 0) return bound;
    for (double& value : A) value /= norm;
    const HostView<const double> of_A = {A.data(), k, k, k};
    on_pool([&] { multiply(of_A, of_A, HostView<double>{square.data(), k, k, k}); });
    A.swap(square);
  }
}

std::vector<float> inverse_diagonal(const NormalMatrix& normal, double l2) {
  const Index k = normal.size();
  std::vector<float> inverse(static_cast<std::size_t>(k));
  for (Index j = 0; j < k; ++j) {
    const double diagonal = normal.gram()[j * k + j] + l2;
    const bool usable = diagonal >= double{std::numeric_limits<float>::min()};
    inverse[j] = usable ? static_cast<float>(1.0 / diagonal) : 0.0f;
  }
  return inverse;
}

std::vector<float> gradient_lengths(const NormalMatrix& normal, double l2) {
  std::vector<float> lengths = inverse_diagonal(normal, l2);
  const double bound = ScaledNormal(normal, l2).largest_eigenvalue_bound();
  if (bound > 0)
    for (float& each : lengths) each = static_cast<float>(each / bound);
  return lengths;
}

std::vector<double> inverse_of_independent(const NormalMatrix& normal) {
  const auto m = static_cast<Index>(normal.independent().size());
  std::vector<double> inverse(static_cast<std::size_t>(m * m));
  for (Index i = 0; i < m; ++i) inverse[i * (m + 1)] = 1;
  on_pool([&] { solve_rows({normal.cholesky().data(), m, m, m}, {inverse.data(), m, m, m}); });
  return inverse;
}

}  // namespace gemmine
