#include "backend/cpu/small_gram.h"

namespace gemmine::cpu {

void add_gram(HostView<const float> factor, Into into, std::vector<double>& upper) {
  const Index k = factor.cols;
  std::vector<double> wide;
  wide.reserve(static_cast<std::size_t>(factor.rows * k));
  for (Index i = 0; i < factor.rows; ++i) wide.insert(wide.end(), factor.row(i), factor.row(i) + k);
  multiply_at_a(HostView<const double>{wide.data(), factor.rows, k, k},
                HostView<double>{upper.data(), k, k, k}, into);
}

void mirror_upper(std::vector<double>& square, Index k) {
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < i; ++j) square[i * k + j] = square[j * k + i];
}

}  // namespace gemmine::cpu
