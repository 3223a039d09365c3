#include "backend/cpu/products.h"

#include <cblas.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/error.h"

// LAPACK as it lies in OpenBLAS's archive, column-major. Of its eigensolvers this one alone gets by
// without Fortran's runtime library.
extern "C" {
void dsyev_(const char* job, const char* triangle, const blasint* n, double* A, const blasint* lda,
            double* values, double* work, const blasint* lwork, blasint* info);
void dgeqrf_(const blasint* m, const blasint* n, double* A, const blasint* lda, double* tau,
             double* work, const blasint* lwork, blasint* info);
void dorgqr_(const blasint* m, const blasint* n, const blasint* k, double* A, const blasint* lda,
             const double* tau, double* work, const blasint* lwork, blasint* info);
}

namespace gemmine::cpu {
namespace {

blasint size(Index n) {
  expect(n <= std::numeric_limits<blasint>::max(), "sizes of a product fit OpenBLAS's integers");
  return static_cast<blasint>(n);
}

// Calls run(work, size of it, info), once to ask how much it wants.
template <class Run>
void with_workspace(Run run, const char* what) {
  blasint info = 0;
  double wanted = 0;
  run(&wanted, -1, &info);
  expect(info == 0, what);
  std::vector<double> work(static_cast<std::size_t>(std::max(1.0, wanted)));
  run(work.data(), size(static_cast<Index>(work.size())), &info);
  expect(info == 0, what);
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

// Rows in memory are LAPACK's columns; it returns the smallest value first.
std::vector<double> symmetric_eigen(HostView<double> A) {
  const blasint n = size(A.rows);
  const blasint stride = size(A.stride);
  std::vector<double> values(static_cast<std::size_t>(A.rows));
  with_workspace(
      [&](double* work, blasint length, blasint* info) {
        dsyev_("V", "U", &n, A.data, &stride, values.data(), work, &length, info);
      },
      "the eigenvalues of a symmetric matrix converge");
  std::reverse(values.begin(), values.end());
  for (Index i = 0; i < A.rows / 2; ++i)
    std::swap_ranges(A.row(i), A.row(i) + A.cols, A.row(A.rows - 1 - i));
  return values;
}

// Rows in memory are LAPACK's columns. Householder's vectors may turn a row about; it is turned
// back.
void orthonormalise_rows(HostView<double> A) {
  const blasint d = size(A.cols);
  const blasint k = size(A.rows);
  const blasint stride = size(A.stride);
  std::vector<double> tau(static_cast<std::size_t>(A.rows));
  with_workspace(
      [&](double* work, blasint length, blasint* info) {
        dgeqrf_(&d, &k, A.data, &stride, tau.data(), work, &length, info);
      },
      "rows are factorized");
  std::vector<double> diagonal(static_cast<std::size_t>(A.rows));
  for (Index i = 0; i < A.rows; ++i) diagonal[i] = A(i, i);
  with_workspace(
      [&](double* work, blasint length, blasint* info) {
        dorgqr_(&d, &k, &k, A.data, &stride, tau.data(), work, &length, info);
      },
      "orthonormal rows are formed");
  for (Index i = 0; i < A.rows; ++i)
    for (Index t = 0; diagonal[i] < 0 && t < A.cols; ++t) A(i, t) = -A(i, t);
}

void hold_products_to_one_thread() { openblas_set_num_threads(1); }
const char* products_configuration() { return openblas_get_config(); }
const char* products_core() { return openblas_get_corename(); }

}  // namespace gemmine::cpu
