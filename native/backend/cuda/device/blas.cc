#include <climits>
#include <cstdio>

#include "backend/cuda/device/cublas.h"

namespace gemmine::cuda::device {
namespace {

Code blas_failed(int status, const char* what) {
  constexpr int allocation_failed = 3;  // CUBLAS_STATUS_ALLOC_FAILED
  char text[96];
  std::snprintf(text, sizeof text, "%s: cuBLAS status %d", what, status);
  return failed(status == allocation_failed ? Code::out_of_memory : Code::failure, text);
}

// The handle of a queue, which is made on first use.
Code prepare(Queue* queue, const Cublas*& blas) {
  std::string text;
  blas = find_cublas(text);
  if (blas == nullptr) return failed(Code::unavailable, ("cuBLAS was not found: " + text).c_str());
  make_current(queue);
  CublasHandle& handle = handle_of(queue);
  if (handle != nullptr) return Code::ok;
  if (const int status = blas->create(&handle); status != cublas_success) {
    handle = nullptr;
    return blas_failed(status, "cublasCreate");
  }
  if (const int status = blas->set_stream(handle, stream_of(queue)); status != cublas_success) {
    blas->destroy(handle);
    handle = nullptr;
    return blas_failed(status, "cublasSetStream");
  }
  return Code::ok;
}

// cuBLAS is column-major: to it, our row-major Cᵀ = op(B)ᵀ op(A)ᵀ.
struct Call {
  explicit Call(const Product& p)
      : op_first(p.transpose_b != 0 ? cublas_transpose : cublas_plain),
        op_second(p.transpose_a != 0 ? cublas_transpose : cublas_plain),
        m(static_cast<int>(p.n)),
        n(static_cast<int>(p.m)),
        k(static_cast<int>(p.k)),
        ld_first(static_cast<int>(p.stride_b)),
        ld_second(static_cast<int>(p.stride_a)),
        ld_result(static_cast<int>(p.stride_c)) {}
  int op_first, op_second, m, n, k, ld_first, ld_second, ld_result;
};

bool fits(const Product& p) {
  for (const std::int64_t each : {p.m, p.n, p.k, p.stride_a, p.stride_b, p.stride_c})
    if (each < 0 || each > INT_MAX) return false;
  return true;
}

int multiply_floats(const Cublas& blas, CublasHandle handle, const Product& p, const Call& c) {
  const auto alpha = static_cast<float>(p.alpha), beta = static_cast<float>(p.beta);
  const int mode = p.number == Number::tf32 ? cublas_tf32_math : cublas_default_math;
  if (const int status = blas.set_math_mode(handle, mode); status != cublas_success) return status;
  return blas.sgemm(handle, c.op_first, c.op_second, c.m, c.n, c.k, &alpha,
                    static_cast<const float*>(p.B), c.ld_first, static_cast<const float*>(p.A),
                    c.ld_second, &beta, static_cast<float*>(p.C), c.ld_result);
}

int multiply_doubles(const Cublas& blas, CublasHandle handle, const Product& p, const Call& c) {
  return blas.dgemm(handle, c.op_first, c.op_second, c.m, c.n, c.k, &p.alpha,
                    static_cast<const double*>(p.B), c.ld_first, static_cast<const double*>(p.A),
                    c.ld_second, &p.beta, static_cast<double*>(p.C), c.ld_result);
}

int multiply_halves(const Cublas& blas, CublasHandle handle, const Product& p, const Call& c) {
  const auto alpha = static_cast<float>(p.alpha), beta = static_cast<float>(p.beta);
  if (const int status = blas.set_math_mode(handle, cublas_full_sums); status != cublas_success)
    return status;
  return blas.gemm_ex(handle, c.op_first, c.op_second, c.m, c.n, c.k, &alpha, p.B, cuda_r_16f,
                      c.ld_first, p.A, cuda_r_16f, c.ld_second, &beta, p.C, cuda_r_32f, c.ld_result,
                      cublas_compute_32f, cublas_default_algorithm);
}

}  // namespace

Code multiply(Queue* queue, const Product* product) {
  const Product& p = *product;
  if (!fits(p)) return failed(Code::failure, "a product beyond 32-bit sizes");
  if (p.m == 0 || p.n == 0) return Code::ok;
  const Cublas* blas = nullptr;
  if (const Code code = prepare(queue, blas); code != Code::ok) return code;
  CublasHandle handle = handle_of(queue);
  const Call call(p);
  const int status = p.number == Number::float64   ? multiply_doubles(*blas, handle, p, call)
                     : p.number == Number::float16 ? multiply_halves(*blas, handle, p, call)
                                                   : multiply_floats(*blas, handle, p, call);
  return status == cublas_success ? Code::ok : blas_failed(status, "a product");
}

}  // namespace gemmine::cuda::device
