#include "blas.h"

#include <cblas.h>
#include <immintrin.h>

#include <cmath>
#include <random>
#include <vector>

#include "backend/cuda/device/cublas.h"

namespace emulation {
double product_error = 0;
bool blas_present = true;
}  // namespace emulation

namespace {

using gemmine::cuda::device::Cublas;
using gemmine::cuda::device::CublasHandle;
namespace device = gemmine::cuda::device;

struct Handle {
  cudaStream_t stream = nullptr;
  int mode = device::cublas_default_math;
};
constexpr int not_initialised = 1;
constexpr int allocation_failed = 3;
constexpr int invalid_value = 7;
constexpr int execution_failed = 13;

int create(CublasHandle* out) {
  if (emulation::fails_now()) return allocation_failed;
  *out = new Handle;
  ++emulation::held.blas_handles;
  return 0;
}
int destroy(CublasHandle handle) {
  delete static_cast<Handle*>(handle);
  --emulation::held.blas_handles;
  return 0;
}
int set_stream(CublasHandle handle, cudaStream_t stream) {
  if (emulation::fails_now()) return not_initialised;
  static_cast<Handle*>(handle)->stream = stream;
  return 0;
}
int set_math_mode(CublasHandle handle, int mode) {
  if (emulation::fails_now()) return not_initialised;
  static_cast<Handle*>(handle)->mode = mode;
  return 0;
}

// 11 bits, to nearest even.
float to_tf32(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits += 0xFFFu + ((bits >> 13) & 1u);
  bits &= ~0x1FFFu;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

template <class T, class Read>
std::vector<T> matrix(int rows, int cols, int ld, Read read) {
  std::vector<T> out(std::size_t(rows) * cols);
  for (int j = 0; j < cols; ++j)
    for (int i = 0; i < rows; ++i) out[std::size_t(j) * rows + i] = read(std::size_t(j) * ld + i);
  return out;
}

struct Shape {
  int ta, tb, m, n, k, lda, ldb, ldc;
  int a_rows() const { return ta != 0 ? k : m; }
  int a_cols() const { return ta != 0 ? m : k; }
  int b_rows() const { return tb != 0 ? n : k; }
  int b_cols() const { return tb != 0 ? k : n; }
  bool valid() const {
    return m >= 0 && n >= 0 && k >= 0 && lda >= std::max(1, a_rows()) &&
           ldb >= std::max(1, b_rows()) && ldc >= std::max(1, m);
  }
  CBLAS_TRANSPOSE op_a() const { return ta != 0 ? CblasTrans : CblasNoTrans; }
  CBLAS_TRANSPOSE op_b() const { return tb != 0 ? CblasTrans : CblasNoTrans; }
};

bool on_device(const void* a, const void* b, const void* c, const Shape& s) {
  if (s.m == 0 || s.n == 0) return true;
  const bool factors =
      s.k == 0 || (emulation::is_device_memory(a) && emulation::is_device_memory(b));
  return factors && emulation::is_device_memory(c);
}

int checked(const Shape& s, const void* a, const void* b, const void* c) {
  if (emulation::fails_now()) return execution_failed;
  if (!s.valid()) return invalid_value;
  if (!on_device(a, b, c, s)) emulation::launch_failed("a product of host memory");
  return 0;
}

int sgemm(CublasHandle given, int ta, int tb, int m, int n, int k, const float* alpha,
          const float* A, int lda, const float* B, int ldb, const float* beta, float* C, int ldc) {
  const Handle handle = *static_cast<Handle*>(given);
  const Shape s{ta, tb, m, n, k, lda, ldb, ldc};
  if (const int status = checked(s, A, B, C); status != 0) return status;
  emulation::enqueue(handle.stream, [=, alpha = *alpha, beta = *beta] {
    if (handle.mode != device::cublas_tf32_math) {
      cblas_sgemm(CblasColMajor, s.op_a(), s.op_b(), m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
      return;
    }
    const auto a =
        matrix<float>(s.a_rows(), s.a_cols(), lda, [=](auto i) { return to_tf32(A[i]); });
    const auto b =
        matrix<float>(s.b_rows(), s.b_cols(), ldb, [=](auto i) { return to_tf32(B[i]); });
    cblas_sgemm(CblasColMajor, s.op_a(), s.op_b(), m, n, k, alpha, a.data(), s.a_rows(), b.data(),
                s.b_rows(), beta, C, ldc);
  });
  return 0;
}

int dgemm(CublasHandle given, int ta, int tb, int m, int n, int k, const double* alpha,
          const double* A, int lda, const double* B, int ldb, const double* beta, double* C,
          int ldc) {
  const Shape s{ta, tb, m, n, k, lda, ldb, ldc};
  if (const int status = checked(s, A, B, C); status != 0) return status;
  emulation::enqueue(static_cast<Handle*>(given)->stream, [=, alpha = *alpha, beta = *beta] {
    cblas_dgemm(CblasColMajor, s.op_a(), s.op_b(), m, n, k, alpha, A, lda, B, ldb, beta, C, ldc);
  });
  return 0;
}

// ‖·‖ of the row, or the column, of op(·) that result (i, j) uses.
double norm_of(const std::vector<float>& x, bool along_column, int rows, int index, int k) {
  double sum = 0;
  for (int t = 0; t < k; ++t) {
    const double v =
        along_column ? x[std::size_t(index) * rows + t] : x[std::size_t(t) * rows + index];
    sum += v * v;
  }
  return std::sqrt(sum);
}

void add_worst_errors(const Shape& s, const std::vector<float>& a, const std::vector<float>& b,
                      float* C) {
  static std::mt19937 sign(1);
  for (int j = 0; j < s.n; ++j)
    for (int i = 0; i < s.m; ++i) {
      const double bound = s.k * 0x1p-21 * norm_of(a, s.ta != 0, s.a_rows(), i, s.k) *
                           norm_of(b, s.tb == 0, s.b_rows(), j, s.k);
      C[std::size_t(j) * s.ldc + i] +=
          static_cast<float>((sign() % 2 == 0 ? 1 : -1) * emulation::product_error * bound);
    }
}

int gemm_ex(CublasHandle given, int ta, int tb, int m, int n, int k, const void* alpha,
            const void* A, int type_a, int lda, const void* B, int type_b, int ldb,
            const void* beta, void* C, int type_c, int ldc, int compute, int) {
  const Shape s{ta, tb, m, n, k, lda, ldb, ldc};
  if (type_a != device::cuda_r_16f || type_b != type_a || type_c != device::cuda_r_32f ||
      compute != device::cublas_compute_32f)
    return invalid_value;
  if (const int status = checked(s, A, B, C); status != 0) return status;
  emulation::enqueue(
      static_cast<Handle*>(given)->stream,
      [=, alpha = *static_cast<const float*>(alpha), beta = *static_cast<const float*>(beta)] {
        const auto half = [](const void* of) {
          return [values = static_cast<const std::uint16_t*>(of)](std::size_t i) {
            return _cvtsh_ss(values[i]);
          };
        };
        const auto a = matrix<float>(s.a_rows(), s.a_cols(), lda, half(A));
        const auto b = matrix<float>(s.b_rows(), s.b_cols(), ldb, half(B));
        auto* c = static_cast<float*>(C);
        cblas_sgemm(CblasColMajor, s.op_a(), s.op_b(), m, n, k, alpha, a.data(),
                    std::max(1, s.a_rows()), b.data(), std::max(1, s.b_rows()), beta, c, ldc);
        if (emulation::product_error != 0) add_worst_errors(s, a, b, c);
      });
  return 0;
}

}  // namespace

namespace gemmine::cuda::device {

const Cublas* find_cublas(std::string& text) {
  static const Cublas table = {create, destroy, set_stream, set_math_mode, sgemm, dgemm, gemm_ex};
  text = emulation::blas_present ? "OpenBLAS" : "libcublas.so.13: absent from the emulation";
  return emulation::blas_present ? &table : nullptr;
}

}  // namespace gemmine::cuda::device
