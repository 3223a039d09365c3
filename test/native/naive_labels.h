#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "backend/passes.h"
#include "core/row_block.h"
#include "entry_oracle.h"

// Rows and centres by their definitions, in float64.
namespace test {

using namespace gemmine;

// visit(row number, row·2^-exponent).
template <class Visit>
void each_scaled_row(const RowSource& X, int exponent, const Visit& visit) {
  RowScratch scratch;
  std::vector<double> x(X.cols());
  for (Index i = 0; i < X.rows(); ++i) {
    oracle::dense_row(X, i, scratch, x);
    for (double& value : x) value = std::ldexp(value, -exponent);
    visit(i, x);
  }
}

inline void naive_product(const RowSource& X, int exponent, HostView<const double> B,
                          BackendView<float> to) {
  each_scaled_row(X, exponent, [&](Index i, const std::vector<double>& x) {
    for (Index j = 0; j < B.cols; ++j) {
      double sum = 0;
      for (Index t = 0; t < B.rows; ++t) sum += x[t] * B(t, j);
      to.row(i)[j] = static_cast<float>(sum);
    }
  });
}

inline std::vector<double> naive_squared_products(const RowSource& X, int exponent,
                                                  HostView<const double> B) {
  std::vector<double> squares(X.rows());
  each_scaled_row(X, exponent, [&](Index i, const std::vector<double>& x) {
    for (const double value : x) squares[i] += B.cols == 0 ? value * value : 0;
    for (Index j = 0; j < B.cols; ++j) {
      double sum = 0;
      for (Index t = 0; t < B.rows; ++t) sum += x[t] * B(t, j);
      squares[i] += sum * sum;
    }
  });
  return squares;
}

inline double naive_distance(const std::vector<double>& x, const double* center) {
  double sum = 0;
  for (std::size_t t = 0; t < x.size(); ++t) sum += (x[t] - center[t]) * (x[t] - center[t]);
  return sum;
}

inline void naive_assign(const Assignment& a, Assigned& assigned) {
  const Index d = a.X.cols();
  assigned = Assigned(a.X.rows(), a.centers.rows, d);
  each_scaled_row(a.X, a.exponent, [&](Index i, const std::vector<double>& x) {
    const double weight = a.weights == nullptr ? 1 : a.weights[i];
    const auto distance = [&](Index j) { return naive_distance(x, a.centers.row(j)); };
    Index label = 0;
    for (Index j = 1; j < a.centers.rows; ++j)
      if (distance(j) < distance(label)) label = j;
    assigned.labels[i] = static_cast<std::int32_t>(label);
    assigned.masses[label] += weight;
    for (Index t = 0; t < d; ++t) assigned.sums[label * d + t] += weight * x[t];
    const double squared = distance(label);
    assigned.inertia += weight * squared;
    if (squared == 0) return;
    const double divisor = a.draw == nullptr ? 1 : -std::log(a.draw->uniform(i, 0));
    assigned.far.push_back({i, squared, weight * squared / divisor});
  });
  std::ranges::stable_sort(assigned.far, std::greater(), &FarRow::rank);
  assigned.far.resize(std::min<std::size_t>(assigned.far.size(), a.far_rows));
}

inline std::vector<double> naive_potentials(const Candidates& c, HostView<double> distances) {
  std::vector<double> sums(c.points.rows);
  each_scaled_row(c.X, c.exponent, [&](Index i, const std::vector<double>& x) {
    const double weight = c.weights == nullptr ? 1 : c.weights[i];
    for (Index p = 0; p < c.points.rows; ++p) {
      distances(i, p) = weight * naive_distance(x, c.points.row(p));
      sums[p] += std::min(c.nearest[i], distances(i, p));
    }
  });
  return sums;
}

}  // namespace test
