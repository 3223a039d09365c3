#pragma once

#include <vector>

#include "factorization/factors.h"

namespace gemmine {

// Eigenvalues, descending, of a symmetric matrix, and its eigenvectors as rows.
struct Eigen {
  std::vector<double> values;
  HostMatrix<double> vectors;
};

// Jacobi's rotations (Golub & Van Loan, Matrix Computations, 8.5), accurate for small matrices.
Eigen symmetric_eigen(HostMatrix<double> A);

double dot(const double* a, const double* b, Index count);

// Makes the rows of A orthonormal, each against those before it, twice (Giraud, Langou & Rozložník,
// 2005: twice is enough). A row that depends on those before it is replaced by a direction drawn at
// random; A must have at least as many columns as rows.
void orthonormalise_rows(HostMatrix<double>& A, std::uint64_t seed);

}  // namespace gemmine
