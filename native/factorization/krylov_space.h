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

// Block Krylov: the basis has up to three blocks of `width` columns, and X is read
// power_iterations + 1 times; a sparse X or one in memory with fewer rows than columns is read
// twice in each but the last.
KrylovSpace krylov_space(const Input& input, Index width, const SvdOptions& options);

}  // namespace gemmine
