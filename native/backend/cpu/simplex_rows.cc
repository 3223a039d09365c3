#include "backend/cpu/simplex_rows.h"

#include <algorithm>
#include <limits>

namespace gemmine::cpu {
namespace {

// Of the largest element of the normal matrix: differences of slopes that only rounding of the
// float32 products leaves, and curvatures that count as 0.
constexpr double least_slope = 1e-9;
constexpr double least_curvature = 1e-12;

Index whole_vectors(Index count, Index lanes) { return (count + lanes - 1) / lanes * lanes; }

}  // namespace

SimplexRows::SimplexRows(const Kernels& kernels, const NormalMatrix& normal, bool capped)
    : kernels_(kernels),
      capped_(capped),
      size_(normal.size() + capped),
      padded_(whole_vectors(size_, kernels.lanes / 2)),
      normal_(static_cast<std::size_t>(size_ * padded_)),
      diagonal_(static_cast<std::size_t>(padded_)) {
  const Index k = normal.size();
  for (Index i = 0; i < k; ++i) {
    std::copy_n(normal.gram().data() + i * k, k, normal_.data() + i * padded_);
    diagonal_[i] = normal.gram()[i * (k + 1)];
    scale_ = std::max(scale_, diagonal_[i]);
  }
}

// Scales the row onto the simplex; slope = N w − c.
void SimplexRows::start(HostView<const float> cross, HostView<const float> factor, Index i,
                        double* w, double* slope) const {
  const Index k = factor.cols;
  std::fill_n(w, padded_, 0.0);
  std::fill_n(slope, padded_, 0.0);
  double sum = 0;
  for (Index j = 0; j < k; ++j) sum += w[j] = std::max(0.0, double{factor(i, j)});
  if (capped_) w[k] = std::max(0.0, 1 - sum);
  if (!(sum > 0) && !capped_) std::fill_n(w, k, 1.0 / static_cast<double>(k));
  if (sum > 0 && (!capped_ || sum > 1))
    for (Index j = 0; j < k; ++j) w[j] /= sum;
  for (Index j = 0; j < k; ++j) slope[j] = -double{cross(i, j)};
  for (Index l = 0; l < k; ++l) {
    if (w[l] == 0) continue;
    const double* row = normal_.data() + l * padded_;
    for (Index j = 0; j < size_; ++j) slope[j] += w[l] * row[j];
  }
  std::fill(slope + size_, slope + padded_, std::numeric_limits<double>::infinity());
}

// Component a has the lowest slope, b the one from which moving its weight to a gains most. An
// exchange makes two slopes equal but for rounding: of those the lower component is taken.
void SimplexRows::improve(HostView<const float> cross, HostView<float> factor, Index sweeps) const {
  std::vector<double> memory(static_cast<std::size_t>((2 * exchanged_at_once + 1) * padded_));
  double* weights = memory.data();
  double* slopes = weights + exchanged_at_once * padded_;
  double* losses = slopes + exchanged_at_once * padded_;
  for (Index begin = 0; begin < factor.rows; begin += exchanged_at_once) {
    const Index rows = std::min(exchanged_at_once, factor.rows - begin);
    for (Index i = 0; i < rows; ++i)
      start(cross, factor, begin + i, weights + i * padded_, slopes + i * padded_);
    kernels_.exchange({.rows = rows,
                       .steps = sweeps * size_,
                       .padded = padded_,
                       .normal = normal_.data(),
                       .diagonal = diagonal_.data(),
                       .least_slope = least_slope * scale_,
                       .least_curvature = least_curvature * scale_},
                      weights, slopes, losses);
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < factor.cols; ++j)
        factor(begin + i, j) = static_cast<float>(weights[i * padded_ + j]);
  }
}

}  // namespace gemmine::cpu
