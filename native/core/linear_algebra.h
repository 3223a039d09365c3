#pragma once

#include <vector>

#include "core/matrix.h"

namespace gemmine {

// Products of row-major host matrices and LAPACK operations on small ones; no other file calls
// OpenBLAS. All run on the calling thread, which runs an index of a loop. The first call of the
// process reserves OpenBLAS's buffers for all threads; every call throws Error(out_of_memory) until
// that has succeeded.

enum class Into { replace, add };

// C = A·B.
void multiply(HostView<const float> A, HostView<const float> B, HostView<float> C);
void multiply(HostView<const double> A, HostView<const double> B, HostView<double> C);

// The upper triangle of C = AᵀA or C += AᵀA, and the lower one of C = A Aᵀ.
void multiply_at_a(HostView<const double> A, HostView<double> C, Into into);
void multiply_a_at(HostView<const double> A, HostView<double> C);

// C = Aᵀ·B.
void multiply_at_b(HostView<const double> A, HostView<const double> B, HostView<double> C);

// B = B A⁻¹ for a square A, which is overwritten.
void divide_rows(HostView<double> B, HostView<double> A);

// B = B (L Lᵀ)⁻¹, L lower triangular.
void solve_rows(HostView<const double> L, HostView<double> B);

// The lower triangle of A becomes L, A = L Lᵀ. Returns the least share of a diagonal element of A
// that its pivot keeps, or 0 if A is not positive definite.
double factorize_cholesky(HostView<double> A);

// B = L⁻¹ B, L lower triangular.
void solve_lower(HostView<const double> L, HostView<double> B);

// See Passes.
std::vector<double> symmetric_eigen(HostView<double> A);
std::vector<double> symmetric_eigen(HostView<double> A, HostView<double> N);

// See Passes, by Householder's reflections, which need no independent rows.
void orthonormalise_rows(HostView<double> A);

// Called before the first product, for linkers that cannot replace openblas_num_threads_env().
void hold_products_to_one_thread();

// Name, version and build options of the library; and the CPU type whose kernels it uses.
const char* products_configuration();
const char* products_core();

}  // namespace gemmine
