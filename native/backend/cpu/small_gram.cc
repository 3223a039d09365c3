#include "backend/cpu/small_gram.h"

namespace gemmine::cpu {

std::vector<double> widened(HostView<const float> rows) {
  std::vector<double> wide;
  wide.reserve(static_cast<std::size_t>(rows.rows * rows.cols));
  for (Index i = 0; i < rows.rows; ++i)
    wide.insert(wide.end(), rows.row(i), rows.row(i) + rows.cols);
  return wide;
}

void add_gram(HostView<const float> factor, Into into, std::vector<double>& upper) {
  const Index k = factor.cols;
  const std::vector<double> wide = widened(factor);
  multiply_at_a(HostView<const double>{wide.data(), factor.rows, k, k},
                HostView<double>{upper.data(), k, k, k}, into);
}

void mirror_upper(std::vector<double>& square, Index k) {
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < i; ++j) square[i * k + j] = square[j * k + i];
}

}  // namespace gemmine::cpu
