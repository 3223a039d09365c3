#include "core/linear_algebra.h"

#include <cblas.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include "core/address_space.h"
#include "core/error.h"
#include "core/pool.h"

// LAPACK functions in OpenBLAS's archive, column-major. This eigensolver is the only one that does
// not need Fortran's runtime library.
extern "C" {
void dsyev_(const char* job, const char* triangle, const blasint* n, double* A, const blasint* lda,
            double* values, double* work, const blasint* lwork, blasint* info);
void dpotrf_(const char* triangle, const blasint* n, double* A, const blasint* lda, blasint* info);
void dgesv_(const blasint* n, const blasint* right_sides, double* A, const blasint* lda,
            blasint* pivots, double* B, const blasint* ldb, blasint* info);
void dgeqrf_(const blasint* m, const blasint* n, double* A, const blasint* lda, double* tau,
             double* work, const blasint* lwork, blasint* info);
void dorgqr_(const blasint* m, const blasint* n, const blasint* k, double* A, const blasint* lda,
             const double* tau, double* work, const blasint* lwork, blasint* info);

// Internal to OpenBLAS (driver/others/memory.c): the work space of one call.
void* blas_memory_alloc(int unused);
void blas_memory_free(void* buffer);

// OpenBLAS starts one thread per CPU when the addon is loaded, unless the environment sets a
// number; if a limit refuses them, it raises SIGINT. The linker (--wrap, in CMakeLists.txt)
// replaces its reading of OPENBLAS_NUM_THREADS by this function.
int __wrap_openblas_num_threads_env();
int __wrap_openblas_num_threads_env() { return 1; }
}

namespace gemmine {
namespace {

// Address space for one buffer and for concurrent mappings of the process. On x86-64 and ARM64 a
// buffer is 128 MiB.
constexpr std::size_t buffer_bytes = std::size_t{136} << 20;

std::string buffers_refused(std::size_t count) {
  return "OpenBLAS needs " + std::to_string(count * buffer_bytes >> 20) +
         " MiB of address space for " + std::to_string(count) +
         " threads, and fewer are left (ulimit -v)";
}

// OpenBLAS allocates a buffer for each running call, keeps it for later calls, and retries forever
// if the system refuses it. Hence as many buffers as threads of the pool, of which no more run
// indices at once, are allocated before the first call.
void reserve_buffers() {
  static std::atomic<bool> reserved = false;
  static std::mutex mutex;
  if (reserved.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex);
  if (reserved.load(std::memory_order_relaxed)) return;
  const auto count = static_cast<std::size_t>(pool_threads());
  if (!has_address_space(count * buffer_bytes))
    throw Error(ErrorCode::out_of_memory, buffers_refused(count));
  std::vector<void*> buffers(count);
  for (void*& buffer : buffers) buffer = blas_memory_alloc(0);
  for (void* buffer : buffers) blas_memory_free(buffer);
  reserved.store(true, std::memory_order_release);
}

blasint size(Index n) {
  expect(n <= std::numeric_limits<blasint>::max(), "sizes of a product fit OpenBLAS's integers");
  return static_cast<blasint>(n);
}

// Calls run(work, size of work, info) twice: first to query the size, then to compute.
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
  reserve_buffers();
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size(C.rows), size(C.cols), size(A.cols),
              1.0f, A.data, size(A.stride), B.data, size(B.stride), 0.0f, C.data, size(C.stride));
}

void multiply(HostView<const double> A, HostView<const double> B, HostView<double> C) {
  if (C.rows == 0 || C.cols == 0) return;
  reserve_buffers();
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size(C.rows), size(C.cols), size(A.cols),
              1.0, A.data, size(A.stride), B.data, size(B.stride), 0.0, C.data, size(C.stride));
}

void multiply_at_b(HostView<const double> A, HostView<const double> B, HostView<double> C) {
  if (C.rows == 0 || C.cols == 0) return;
  reserve_buffers();
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, size(C.rows), size(C.cols), size(A.rows),
              1.0, A.data, size(A.stride), B.data, size(B.stride), 0.0, C.data, size(C.stride));
}

// Rows in memory are columns for LAPACK, which therefore solves Aᵀ Y = Bᵀ.
void divide_rows(HostView<double> B, HostView<double> A) {
  reserve_buffers();
  const blasint n = size(A.rows);
  const blasint right_sides = size(B.rows);
  const blasint lda = size(A.stride);
  const blasint ldb = size(B.stride);
  std::vector<blasint> pivots(static_cast<std::size_t>(A.rows));
  blasint info = 0;
  dgesv_(&n, &right_sides, A.data, &lda, pivots.data(), B.data, &ldb, &info);
  expect(info == 0, "the system of a Cayley step is not singular");
}

void multiply_at_a(HostView<const double> A, HostView<double> C, Into into) {
  reserve_buffers();
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, size(A.cols), size(A.rows), 1.0, A.data,
              size(A.stride), into == Into::add ? 1.0 : 0.0, C.data, size(C.stride));
}

void solve_rows(HostView<const double> L, HostView<double> B) {
  if (B.rows == 0 || B.cols == 0) return;
  reserve_buffers();
  for (const CBLAS_TRANSPOSE transpose : {CblasTrans, CblasNoTrans})
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, transpose, CblasNonUnit, size(B.rows),
                size(B.cols), 1.0, L.data, size(L.stride), B.data, size(B.stride));
}

void multiply_a_at(HostView<const double> A, HostView<double> C) {
  reserve_buffers();
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, size(A.rows), size(A.cols), 1.0, A.data,
              size(A.stride), 0.0, C.data, size(C.stride));
}

// The lower triangle of rows is the upper one of LAPACK's columns.
double factorize_cholesky(HostView<double> A) {
  reserve_buffers();
  const blasint n = size(A.rows);
  const blasint lda = size(A.stride);
  std::vector<double> diagonal(static_cast<std::size_t>(A.rows));
  for (Index i = 0; i < A.rows; ++i) diagonal[i] = A(i, i);
  blasint info = 0;
  dpotrf_("U", &n, A.data, &lda, &info);
  double least = info == 0 ? 1 : 0;
  for (Index i = 0; i < A.rows && least > 0; ++i)
    least = std::min(least, A(i, i) * A(i, i) / diagonal[i]);
  return least;
}

void solve_lower(HostView<const double> L, HostView<double> B) {
  reserve_buffers();
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, size(B.rows),
              size(B.cols), 1.0, L.data, size(L.stride), B.data, size(B.stride));
}

// With N = L Lᵀ and z an eigenvector of L⁻¹ A L⁻ᵀ, y = L⁻ᵀ z.
std::vector<double> symmetric_eigen(HostView<double> A, HostView<double> N) {
  expect(factorize_cholesky(N) > 0, "the matrix beside λ is positive definite");
  const auto divide_right = [&](CBLAS_TRANSPOSE transpose) {
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, transpose, CblasNonUnit, size(A.rows),
                size(A.cols), 1.0, N.data, size(N.stride), A.data, size(A.stride));
  };
  solve_lower(N, A);
  divide_right(CblasTrans);
  std::vector<double> values = symmetric_eigen(A);
  divide_right(CblasNoTrans);
  return values;
}

// Rows in memory are columns for LAPACK, which returns the smallest value first.
std::vector<double> symmetric_eigen(HostView<double> A) {
  reserve_buffers();
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

// Rows in memory are columns for LAPACK. Householder reflections may flip the sign of a row, which
// is restored.
void orthonormalise_rows(HostView<double> A) {
  reserve_buffers();
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

}  // namespace gemmine
