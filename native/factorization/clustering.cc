#include "factorization/clustering.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gemmine {

// Medians of a few rows: a mean would follow outliers, and most rows would be far from it.
std::vector<double> middle_of(const Input& input) {
  constexpr Index rows = 33;
  return RowSample(input, rows, CounterRandom(0, sample_rows)).medians();
}

double squared_distance(const double* a, const double* b, Index d) {
  double sum = 0;
  for (Index t = 0; t < d; ++t) sum += (a[t] - b[t]) * (a[t] - b[t]);
  return sum;
}

Clustering::Clustering(const Input& input, HostMatrix<double> centers, std::vector<double> weights)
    : input_(input),
      centers_(std::move(centers)),
      weights_(std::move(weights)),
      origin_(middle_of(input)),
      assigned_(input.rows(), centers_.rows(), input.cols()) {}

void Clustering::assign(Index far_rows, const CounterRandom* draw) {
  input_.backend.assign({.X = input_.X,
                         .exponent = input_.pass_exponent,
                         .centers = std::as_const(centers_).view(),
                         .origin = origin_,
                         .weights = weights_.empty() ? nullptr : weights_.data(),
                         .far_rows = far_rows,
                         .draw = draw},
                        assigned_, input_.job);
}

void Clustering::run(const ClusteringOptions& options) {
  double previous = std::numeric_limits<double>::infinity();
  for (iterations_ = 0; iterations_ < options.max_iterations && !converged_; ++iterations_) {
    assign();
    const double now = assigned_.inertia;
    const HostMatrix<double> before = centers_;
    move_centers();
    const bool filled = fill_empty();
    const bool still = std::equal(before.row(0), before.row(before.rows()), centers_.row(0));
    converged_ = still || (!filled && previous - now < options.tolerance * previous);
    previous = now;
    input_.job.progress(options.phase, iterations_ + 1, options.max_iterations);
  }
}

void Clustering::move_centers() {
  const Index d = centers_.cols();
  for (Index j = 0; j < centers_.rows(); ++j)
    for (Index t = 0; assigned_.masses[j] > 0 && t < d; ++t)
      centers_(j, t) = assigned_.sums[j * d + t] / assigned_.masses[j];
}

// Moves an empty cluster to the row farthest from its centre, if any has a distance; the next one
// to the row farthest from that row too.
bool Clustering::fill_empty() {
  std::vector<FarRow> far = assigned_.far;
  const Index d = centers_.cols();
  std::vector<double> row(d);
  const auto take = [&](Index i) {
    input_.backend.read_rows(input_.X, {&i, 1}, input_.job).take(0, input_.scale(), row);
  };
  bool filled = false;
  for (Index j = 0; j < centers_.rows(); ++j) {
    if (assigned_.masses[j] > 0) continue;
    const auto worst = std::ranges::max_element(far, {}, &FarRow::squared_distance);
    if (worst == far.end() || worst->squared_distance == 0) break;
    take(worst->row);
    std::ranges::copy(row, centers_.row(j));
    for (FarRow& other : far) {
      take(other.row);
      other.squared_distance =
          std::min(other.squared_distance, squared_distance(row.data(), centers_.row(j), d));
    }
    filled = true;
  }
  return filled;
}

void Clustering::round_centers(int exponent) {
  for (Index j = 0; j < centers_.rows(); ++j)
    for (Index t = 0; t < centers_.cols(); ++t)
      centers_(j, t) = std::ldexp(
          static_cast<double>(static_cast<float>(std::ldexp(centers_(j, t), exponent))), -exponent);
}

HostMatrix<float> Clustering::Ht() const {
  HostMatrix<float> Ht(centers_.cols(), centers_.rows());
  for (Index t = 0; t < Ht.rows(); ++t)
    for (Index j = 0; j < Ht.cols(); ++j) Ht(t, j) = static_cast<float>(centers_(j, t));
  return Ht;
}

}  // namespace gemmine
