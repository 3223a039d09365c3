#include "backend/normal_matrix.h"

#include <cmath>
#include <utility>

#include "core/error.h"

namespace gemmine {

NormalMatrix::NormalMatrix(std::vector<double> gram, Index k, double l2, bool solvable)
    : k_(k), gram_(std::move(gram)), gram32_(gram_.begin(), gram_.end()) {
  expect(static_cast<Index>(gram_.size()) == k * k, "a Gram matrix is k×k");
  if (solvable) factorize(l2);
}

// Column by column. A dependent component is skipped, so the factor is that of the independent
// ones.
void NormalMatrix::factorize(double l2) {
  double trace = 0;
  for (Index j = 0; j < k_; ++j) trace += gram_[j * k_ + j] + l2;
  std::vector<double> rest = gram_;  // Schur complement of the columns so far, lower triangle
  std::vector<double> column(static_cast<std::size_t>(k_));
  for (Index j = 0; j < k_; ++j) {
    const double diagonal = gram_[j * k_ + j] + l2;
    const double pivot = rest[j * k_ + j] + l2;
    if (!(diagonal > 1e-12 * trace) || !(pivot >= smallest_float32_pivot * diagonal)) {
      dependent_.push_back(j);
      continue;
    }
    independent_.push_back(j);
    const double root = std::sqrt(pivot);
    for (Index i = j; i < k_; ++i) column[i] = rest[i * k_ + j] / root;
    column[j] = root;
    for (Index i = j; i < k_; ++i) {
      double* row = rest.data() + i * k_;
      row[j] = column[i];
      for (Index t = j + 1; t <= i; ++t) row[t] -= column[i] * column[t];
    }
  }
  const auto m = static_cast<Index>(independent_.size());
  cholesky_.assign(static_cast<std::size_t>(m * m), 0.0);
  for (Index i = 0; i < m; ++i)
    for (Index t = 0; t <= i; ++t)
      cholesky_[i * m + t] = rest[independent_[i] * k_ + independent_[t]];
}

}  // namespace gemmine
