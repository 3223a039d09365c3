#pragma once

#include "core/matrix.h"

namespace gemmine::cpu {

// Products of row-major host matrices, the only door to OpenBLAS, always on the calling thread.
// With GEMMINE_NAIVE_PRODUCTS they are plain loops, for tools that cannot see into OpenBLAS.

enum class Into { replace, add };

// C = A·B.
void multiply(HostView<const float> A, HostView<const float> B, HostView<float> C);

// The upper triangle of C = AᵀA or C += AᵀA.
void multiply_at_a(HostView<const double> A, HostView<double> C, Into into);

// B = B (L Lᵀ)⁻¹, L lower triangular.
void solve_rows(HostView<const double> L, HostView<double> B);

// Called before the first product; OpenBLAS must not start threads beside the pool's.
void hold_products_to_one_thread();

// Name, version and build options of the library, and the CPU whose kernels it chose.
const char* products_configuration();
const char* products_core();

}  // namespace gemmine::cpu
