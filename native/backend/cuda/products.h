#pragma once

#include <type_traits>

#include "backend/cuda/device.h"

namespace gemmine::cuda {

enum class Transposed { none, first, second };

// C = alpha·A·B + beta·C, with Aᵀ or Bᵀ as `which` says; on the queue of computations.
template <class T>
void multiply(const Device& device, Transposed which, BackendView<const std::type_identity_t<T>> A,
              BackendView<const std::type_identity_t<T>> B, BackendView<T> C, double alpha = 1,
              double beta = 0) {
  const Product product{
      .number = std::is_same_v<T, double> ? Number::float64 : Number::float32,
      .transpose_a = which == Transposed::first,
      .transpose_b = which == Transposed::second,
      .m = C.rows,
      .n = C.cols,
      .k = which == Transposed::first ? A.rows : A.cols,
      .alpha = alpha,
      .A = A.data,
      .stride_a = A.stride,
      .B = B.data,
      .stride_b = B.stride,
      .beta = beta,
      .C = C.data,
      .stride_c = C.stride,
  };
  device.require(device.runtime().multiply(device.compute(), &product));
}

}  // namespace gemmine::cuda
