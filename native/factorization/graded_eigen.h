#pragma once

#include "factorization/factors.h"

namespace gemmine {

// The eigenvalues, descending, of a positive semidefinite A [k×k] whose rows and columns are as
// small as their eigenvalues, each to about 1e-8 of itself, where other solvers err by a share of
// the largest. The rows of A become the eigenvectors.
// Demmel & Veselić (1992), "Jacobi's method is more accurate than QR", SIMAX 13(4).
std::vector<double> graded_eigen(HostMatrix<double>& A);

}  // namespace gemmine
