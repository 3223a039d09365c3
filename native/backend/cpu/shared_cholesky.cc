#include "backend/cpu/shared_cholesky.h"

#include <algorithm>
#include <cmath>

namespace gemmine::cpu {

SharedCholesky::SharedCholesky(const Kernels& kernels, const std::vector<double>& normal, Index k,
                               double smallest_pivot)
    : kernels_(kernels),
      normal_(normal),
      k_(k),
      stride_(room(k)),
      smallest_pivot_(smallest_pivot),
      rows_(static_cast<std::size_t>(k * stride_)),
      inverse_diagonal_(static_cast<std::size_t>(k)) {}

Triangle SharedCholesky::triangle() const {
  return {rows_.data(), stride_, inverse_diagonal_.data(), static_cast<Index>(components_.size())};
}

bool SharedCholesky::become(const std::vector<Index>& components) {
  const auto old = std::ranges::mismatch(components_, components).in1 - components_.begin();
  const auto size = static_cast<Index>(components.size());
  components_ = components;
  for (Index i = 0; i < size; ++i) {
    const Index first = std::max<Index>(i, old);
    if (first == size) continue;
    double* U = row(i);
    const double* N = normal_.data() + components[i] * k_;
    for (Index t = first; t < size; ++t) U[t] = N[components[t]];
    kernels_.subtract_products(triangle(), i, first, size, U);
    if (i >= old) {
      if (!(U[i] > smallest_pivot_ * N[components[i]])) {
        components_.resize(static_cast<std::size_t>(i));
        return false;
      }
      inverse_diagonal_[i] = 1 / std::sqrt(U[i]);
    }
    for (Index t = first; t < size; ++t) U[t] *= inverse_diagonal_[i];
    std::fill(U + size, U + room(size), 0.0);  // kernels add to them, and they must stay finite
  }
  return true;
}

void SharedCholesky::solve(double* x) const {
  const auto size = static_cast<Index>(components_.size());
  kernels_.solve_transposed(triangle(), x);
  std::fill(x + size, x + room(size), 0.0);
  kernels_.solve_upper(triangle(), x);
}

}  // namespace gemmine::cpu
