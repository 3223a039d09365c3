#include "backend/cpu/simplex_rows.h"

#include <algorithm>
#include <numeric>

namespace gemmine::cpu {
namespace {

// Of the largest element of the normal matrix: differences of slopes that only rounding of the
// float32 products leaves, and curvatures that count as 0.
constexpr double least_slope = 1e-9;
constexpr double least_curvature = 1e-12;

}  // namespace

SimplexRows::SimplexRows(const NormalMatrix& normal, bool capped)
    : capped_(capped),
      size_(normal.size() + capped),
      normal_(static_cast<std::size_t>(size_ * size_)) {
  const Index k = normal.size();
  for (Index i = 0; i < k; ++i) {
    std::copy_n(normal.gram().data() + i * k, k, normal_.data() + i * size_);
    scale_ = std::max(scale_, normal.gram()[i * (k + 1)]);
  }
}

// Scales the row onto the simplex; slope = N w − c.
void SimplexRows::start(HostView<const float> cross, HostView<const float> factor, Index i,
                        std::vector<double>& w, std::vector<double>& slope) const {
  const Index k = factor.cols;
  double sum = 0;
  for (Index j = 0; j < k; ++j) sum += w[j] = std::max(0.0, double{factor(i, j)});
  if (capped_) w[k] = std::max(0.0, 1 - sum);
  if (!(sum > 0) && !capped_) std::fill(w.begin(), w.end(), 1.0 / static_cast<double>(k));
  if (sum > 0 && (!capped_ || sum > 1))
    for (Index j = 0; j < k; ++j) w[j] /= sum;
  std::fill(slope.begin(), slope.end(), 0.0);
  for (Index j = 0; j < k; ++j) slope[j] = -double{cross(i, j)};
  for (Index l = 0; l < k; ++l) {
    if (w[l] == 0) continue;
    const double* row = normal_.data() + l * size_;
    for (Index j = 0; j < size_; ++j) slope[j] += w[l] * row[j];
  }
}

// Component a has the lowest slope, b the one from which moving its weight to a gains most. An
// exchange makes two slopes equal but for rounding: of those the lower component is taken.
void SimplexRows::exchange(Index steps, std::vector<double>& w, std::vector<double>& slope) const {
  for (Index step = 0; step < steps; ++step) {
    const double lowest = *std::min_element(slope.begin(), slope.end()) + least_slope * scale_;
    const Index a =
        std::find_if(slope.begin(), slope.end(), [&](double each) { return each <= lowest; }) -
        slope.begin();
    const double* of_a = normal_.data() + a * size_;
    Index b = -1;
    double best = 0;
    double moved = 0;
    for (Index j = 0; j < size_; ++j) {
      const double difference = slope[j] - slope[a];
      if (!(w[j] > 0 && difference > least_slope * scale_)) continue;
      const double curvature =
          std::max(of_a[a] + normal_[j * (size_ + 1)] - 2 * of_a[j], least_curvature * scale_);
      const double length = std::min(w[j], difference / curvature);
      const double gain = length * (difference - curvature * length / 2);
      if (!(gain > best)) continue;
      best = gain;
      moved = length;
      b = j;
    }
    if (b < 0) return;
    const double* of_b = normal_.data() + b * size_;
    w[a] += moved;
    w[b] = moved < w[b] ? w[b] - moved : 0;
    for (Index j = 0; j < size_; ++j) slope[j] += moved * (of_a[j] - of_b[j]);
  }
}

void SimplexRows::improve(HostView<const float> cross, HostView<float> factor, Index sweeps) const {
  std::vector<double> w(static_cast<std::size_t>(size_));
  std::vector<double> slope(w.size());
  for (Index i = 0; i < factor.rows; ++i) {
    start(cross, factor, i, w, slope);
    exchange(sweeps * size_, w, slope);
    for (Index j = 0; j < factor.cols; ++j) factor(i, j) = static_cast<float>(w[j]);
  }
}

}  // namespace gemmine::cpu
