#pragma once

#include "factorization/factors.h"
#include "factorization/input.h"

namespace gemmine {

// A is X or Xᵀ, whichever has more rows than columns. The basis B spans approximately the leading
// right singular vectors of A, and image = A B.
struct KrylovSpace {
  bool transposed;      // A = Xᵀ
  BackendMatrix basis;  // [min(n, d)×m], nearly orthonormal columns
  BackendMatrix image;  // [max(n, d)×m]

  // Of the columns of A in the span of the basis: singular values, descending, and as rows the
  // coefficients y of singular vectors, with B y of length 1.
  std::vector<double> s;        // [m]
  HostMatrix<double> combined;  // [m×m]
};

// Block Krylov: Musco & Musco (2015), "Randomized block Krylov methods for stronger and faster
// approximate singular value decomposition", NeurIPS. The basis has the last blocks of `width`
// columns, three at most. X is read power_iterations + 1 times; if it is transposed, each power
// iteration reads it twice.
KrylovSpace krylov_space(const Input& input, Index width, const SvdOptions& options);

}  // namespace gemmine
