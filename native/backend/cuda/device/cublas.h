#pragma once

#include <string>

#include "backend/cuda/device/platform.h"

namespace gemmine::cuda::device {

// cuBLAS as declared by hand: it is opened when it is first needed, and no header of it is needed
// to build. Numbers are those of cublas_api.h, the same in versions 12 and 13.
using CublasHandle = void*;
inline constexpr int cublas_success = 0;
inline constexpr int cublas_plain = 0;      // CUBLAS_OP_N
inline constexpr int cublas_transpose = 1;  // CUBLAS_OP_T
inline constexpr int cuda_r_32f = 0;
inline constexpr int cuda_r_16f = 2;
inline constexpr int cublas_compute_32f = 68;
inline constexpr int cublas_default_math = 0;
inline constexpr int cublas_tf32_math = 3;
// CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION
inline constexpr int cublas_full_sums = 16;
inline constexpr int cublas_default_algorithm = -1;

struct Cublas {
  int (*create)(CublasHandle*);
  int (*destroy)(CublasHandle);
  int (*set_stream)(CublasHandle, cudaStream_t);
  int (*set_math_mode)(CublasHandle, int);
  int (*sgemm)(CublasHandle, int, int, int, int, int, const float*, const float*, int, const float*,
               int, const float*, float*, int);
  int (*dgemm)(CublasHandle, int, int, int, int, int, const double*, const double*, int,
               const double*, int, const double*, double*, int);
  int (*gemm_ex)(CublasHandle, int, int, int, int, int, const void*, const void*, int, int,
                 const void*, int, int, const void*, void*, int, int, int, int);
};

// Null if it is not found. `text`: its file, or every file tried with the reason.
const Cublas* find_cublas(std::string& text);

CublasHandle& handle_of(Queue* queue);

Code multiply(Queue* queue, const Product* product);

}  // namespace gemmine::cuda::device
