#pragma once

#include <vector>

#include "backend/normal_matrix.h"

namespace gemmine::cpu {

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

}  // namespace gemmine::cpu
