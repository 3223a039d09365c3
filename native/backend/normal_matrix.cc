#include "backend/normal_matrix.h"

#include <cmath>
#include <utility>

#include "core/error.h"

namespace gemmine {

NormalMatrix::NormalMatrix(std::vector<double> gram, Index k, double l2, bool solvable)
    : k_(k), gram_(std::move(gram)), gram32_(gram_.begin(), gram_.end()) {
  expect(static_cast<Index>(gram_.size()) == k * k, "a Gram matrix is k×k");
  if (!solvable) return;
  double trace = 0;
  for (Index j = 0; j < k; ++j) trace += gram_[j * k + j] + l2;

  // Row by row: a dependent component leaves no row, so the factor is that of the others alone.
  std::vector<std::vector<double>> rows;
  for (Index j = 0; j < k; ++j) {
    const double diagonal = gram_[j * k + j] + l2;
    std::vector<double> row;
    double pivot = diagonal;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double entry = gram_[j * k + independent_[i]];
      for (std::size_t t = 0; t < i; ++t) entry -= row[t] * rows[i][t];
      row.push_back(entry / rows[i][i]);
      pivot -= row[i] * row[i];
    }
    if (!(diagonal > 1e-12 * trace) || !(pivot >= 1e-6 * diagonal)) {
      dependent_.push_back(j);
      continue;
    }
    row.push_back(std::sqrt(pivot));
    rows.push_back(std::move(row));
    independent_.push_back(j);
  }

  const std::size_t m = rows.size();
  cholesky_.assign(m * m, 0.0);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t t = 0; t <= i; ++t) cholesky_[i * m + t] = rows[i][t];
}

}  // namespace gemmine
