#pragma once

#include <vector>

#include "backend/normal_matrix.h"

namespace gemmine {

// N + l2 I divided by the square roots of its diagonal on both sides, so that all components have
// equal weight.
struct ScaledNormal {
  ScaledNormal(const NormalMatrix& normal, double l2);

  // (Σ λ^16)^(1/16) over the eigenvalues λ: at least the largest one, at most k^(1/16) times it. It
  // waits for a thread of the pool.
  double largest_eigenvalue_bound() const;

  Index k;
  std::vector<double> inverse_root;  // [k], 0 for a component without curvature
  std::vector<double> entries;       // [k×k]
};

// 1 / (N_jj + l2) [k]; 0 if the denominator is too small.
std::vector<float> inverse_diagonal(const NormalMatrix& normal, double l2);

// The same for StepKind::projected_gradient: divided by its L as well.
std::vector<float> gradient_lengths(const NormalMatrix& normal, double l2);

// (N + l2 I)⁻¹ of the independent components of a solvable matrix [m×m]. A product with it is
// faster than two triangular solves of few columns, and as accurate: its error too is that of
// float64 times the condition, of which dependent components are left out.
std::vector<double> inverse_of_independent(const NormalMatrix& normal);

}  // namespace gemmine
