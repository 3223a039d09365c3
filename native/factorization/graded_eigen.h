#pragma once

#include "factorization/factors.h"

namespace gemmine {

// Returns the eigenvalues, descending, of a positive semidefinite A [k×k] whose rows and columns
// are graded like its eigenvalues. Each has a relative error of about 1e-8; the error of other
// solvers is a share of the largest eigenvalue. The rows of A become the eigenvectors. Demmel &
// Veselić (1992), "Jacobi's method is more accurate than QR", SIMAX 13(4).
std::vector<double> graded_eigen(HostMatrix<double>& A);

}  // namespace gemmine
