#include "factorization/positive_direction.h"

#include <algorithm>
#include <cmath>

#include "factorization/factors.h"

namespace gemmine {
namespace {

constexpr int most_steps = 300;
// All margins are to be 1; this one is far enough from 0.
constexpr double enough = 0.5;
// Of the first slope: at a minimum, also at one above 0, where some margin stays negative.
constexpr double no_slope = 1e-5;

std::vector<double> unit_of_first(std::size_t k) {
  std::vector<double> unit(k);
  unit[0] = 1;
  return unit;
}

double length_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

// The margins √n·U y of directions y, and the slope of ½ Σ max(0, 1 − margin)² over y.
class Margins {
 public:
  Margins(const Input& input, BackendView<const float> U, BackendView<float> scratch)
      : input_(input), U_(U), margins_(scratch), scale_(std::sqrt(static_cast<double>(U.rows))) {
    set(std::vector<double>(static_cast<std::size_t>(U.cols)));
    sums_ = sums_from(1);
  }

  // Returns the least margin.
  double set(const std::vector<double>& y) {
    HostMatrix<double> column(static_cast<Index>(y.size()), 1);
    for (std::size_t j = 0; j < y.size(); ++j) column(static_cast<Index>(j), 0) = scale_ * y[j];
    input_.backend.multiply(U_, column.view(), margins_, input_.job);
    return input_.backend.column_parts(margins_, input_.job).least[0];
  }

  // The step of steepest descent to the minimum along it: −slope/n, as UᵀU = 1.
  std::vector<double> descent() {
    std::vector<double> step = sums_from(-unbounded);
    for (std::size_t j = 0; j < step.size(); ++j) step[j] = (sums_[j] - step[j]) / scale_;
    return step;
  }

 private:
  // Uᵀ min(1, max(least, margins)).
  std::vector<double> sums_from(double least) {
    input_.backend.clamp(static_cast<float>(least), 1, margins_, input_.job);
    return input_.backend.cross_gram(U_, margins_, input_.job);
  }

  const Input& input_;
  BackendView<const float> U_;
  BackendView<float> margins_;
  double scale_;
  std::vector<double> sums_;  // Uᵀ1
};

}  // namespace

// Nesterov (1983), "A method for solving the convex programming problem with convergence rate
// O(1/k²)", for the squared hinge loss, whose minimum is 0 where such a direction exists.
std::vector<double> positive_direction(const Input& input, BackendView<const float> U,
                                       BackendView<float> scratch) {
  Margins margins(input, U, scratch);
  const auto k = static_cast<std::size_t>(U.cols);
  std::vector<double> ahead(k), y(k);
  double first = 0;
  double momentum = 1;
  for (int step = 0; step < most_steps; ++step) {
    if (margins.set(ahead) >= enough) break;
    const std::vector<double> descent = margins.descent();
    if (step == 0) first = length_of(descent);
    if (length_of(descent) <= no_slope * first) break;
    const double next = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
    for (std::size_t j = 0; j < k; ++j) {
      const double moved = ahead[j] + descent[j];
      ahead[j] = moved + (momentum - 1) / next * (moved - y[j]);
      y[j] = moved;
    }
    momentum = next;
  }
  const double length = length_of(ahead);
  if (!(length > 0)) return unit_of_first(k);
  for (double& value : ahead) value /= length;
  return ahead;
}

}  // namespace gemmine
