#include "backend/cpu/products.h"

#ifndef GEMMINE_NAIVE_PRODUCTS
#include <cblas.h>

#include <limits>

#include "core/error.h"
#endif

namespace gemmine::cpu {

#ifdef GEMMINE_NAIVE_PRODUCTS

void multiply(HostView<const float> A, HostView<const float> B, HostView<float> C) {
  for (Index i = 0; i < C.rows; ++i)
    for (Index j = 0; j < C.cols; ++j) {
      C(i, j) = 0;
      for (Index t = 0; t < A.cols; ++t) C(i, j) += A(i, t) * B(t, j);
    }
}

void multiply_at_a(HostView<const double> A, HostView<double> C, Into into) {
  for (Index i = 0; i < C.rows; ++i)
    for (Index j = i; j < C.cols; ++j) {
      if (into == Into::replace) C(i, j) = 0;
      for (Index t = 0; t < A.rows; ++t) C(i, j) += A(t, i) * A(t, j);
    }
}

void solve_rows(HostView<const double> L, HostView<double> B) {
  for (Index r = 0; r < B.rows; ++r) {
    double* x = B.row(r);
    for (Index i = 0; i < L.rows; ++i) {
      for (Index t = 0; t < i; ++t) x[i] -= L(i, t) * x[t];
      x[i] /= L(i, i);
    }
    for (Index i = L.rows; i-- > 0;) {
      for (Index t = i + 1; t < L.rows; ++t) x[i] -= L(t, i) * x[t];
      x[i] /= L(i, i);
    }
  }
}

void hold_products_to_one_thread() {}
const char* products_configuration() { return "none 0"; }
const char* products_core() { return "none"; }

#else

namespace {

blasint size(Index n) {
  expect(n <= std::numeric_limits<blasint>::max(), "sizes of a product fit OpenBLAS's integers");
  return static_cast<blasint>(n);
}

}  // namespace

void multiply(HostView<const float> A, HostView<const float> B, HostView<float> C) {
  if (C.rows == 0 || C.cols == 0) return;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size(C.rows), size(C.cols), size(A.cols),
              1.0f, A.data, size(A.stride), B.data, size(B.stride), 0.0f, C.data, size(C.stride));
}

void multiply_at_a(HostView<const double> A, HostView<double> C, Into into) {
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, size(A.cols), size(A.rows), 1.0, A.data,
              size(A.stride), into == Into::add ? 1.0 : 0.0, C.data, size(C.stride));
}

void solve_rows(HostView<const double> L, HostView<double> B) {
  if (B.rows == 0 || B.cols == 0) return;
  for (const CBLAS_TRANSPOSE transpose : {CblasTrans, CblasNoTrans})
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, transpose, CblasNonUnit, size(B.rows),
                size(B.cols), 1.0, L.data, size(L.stride), B.data, size(B.stride));
}

void hold_products_to_one_thread() { openblas_set_num_threads(1); }
const char* products_configuration() { return openblas_get_config(); }
const char* products_core() { return openblas_get_corename(); }

#endif

}  // namespace gemmine::cpu
