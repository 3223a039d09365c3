#pragma once

#include <vector>

#include "backend/cpu/kernels.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// The Cholesky factor N_PP = Uᵀ U of one list P of components after another, in float64. What two
// lists have in common at their beginning is computed once; no element depends on where that was.
class SharedCholesky {
 public:
  // See ActiveSet.
  SharedCholesky(const Kernels& kernels, const std::vector<double>& normal, Index k,
                 double smallest_pivot);

  // Makes the list the given one, which is ascending. Returns false, with the components before it,
  // at the first component that depends on others.
  bool become(const std::vector<Index>& components);

  // x = N_PP⁻¹ x; x has room(|P|) elements.
  void solve(double* x) const;

  // Vectors of kernels end beyond the last element.
  static Index room(Index count) { return count + triangle_padding; }

 private:
  double* row(Index i) { return rows_.data() + i * stride_; }
  Triangle triangle() const;

  const Kernels& kernels_;
  const std::vector<double>& normal_;
  Index k_;
  Index stride_;
  double smallest_pivot_;
  std::vector<double> rows_;  // of U, with anything left of the diagonal
  std::vector<double> inverse_diagonal_;
  std::vector<Index> components_;
};

}  // namespace gemmine::cpu
