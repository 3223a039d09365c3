#include "factorization/loop/safeguard.h"

#include <algorithm>
#include <cmath>

namespace gemmine {

void KeptPair::keep(Passes& device, BackendView<const float> W, BackendView<const float> Ht) {
  if (!W_) {
    W_.emplace(device, W.rows, W.cols);
    Ht_.emplace(device, Ht.rows, Ht.cols);
  }
  device.copy(W, W_->view());
  device.copy(Ht, Ht_->view());
}

void KeptPair::keep(Passes& device, const HostMatrix<float>& W, const HostMatrix<float>& Ht) {
  W_.emplace(device, W.rows(), W.cols());
  Ht_.emplace(device, Ht.rows(), Ht.cols());
  device.upload(W.view(), W_->view());
  device.upload(Ht.view(), Ht_->view());
}

void KeptPair::restore(Passes& device, BackendView<float> W, BackendView<float> Ht) const {
  device.copy(W_->view(), W);
  device.copy(Ht_->view(), Ht);
}

namespace safeguard {

bool is_best(LoopState& state, double tolerance) {
  const Index t = state.iteration;
  const std::vector<double>& f = state.objective;
  if (f[t] < (1 - tolerance) * f[state.progressed]) state.progressed = t;
  if (t > 0 && !(f[t] < f[state.best])) return false;
  state.best = t;
  return true;
}

bool near_rounding(double squared_error, double squared_norm) {
  return squared_error < 2e-7 * squared_norm;
}

bool rises(const LoopState& state, double objective, double squared_norm) {
  // The rounding error of S and R, or that of residuals if the objective is measured from them and
  // near rounding.
  const double last = state.objective.back();
  const bool is_direct = state.direct && state.measured.back() != 0;
  const double noise = is_direct && near_rounding(last, squared_norm) ? 1e-13 : 2e-7;
  return !(objective <= last + 1e-6 * last + noise * squared_norm);
}

std::vector<double> proximal_pull(const LoopState& state, const std::vector<double>& row_gram,
                                  Index k, bool solves) {
  std::vector<double> pull(k);
  for (Index j = 0; solves && j < k; ++j) pull[j] = state.damping * row_gram[j * (k + 1)];
  return pull;
}

std::vector<double> with_diagonal(std::vector<double> gram, const std::vector<double>& addition) {
  for (std::size_t j = 0; j < addition.size(); ++j) gram[j * (addition.size() + 1)] += addition[j];
  return gram;
}

bool nearly_dependent(const NormalMatrix& normal, const std::vector<double>& pull) {
  const std::vector<Index>& independent = normal.independent();
  const std::size_t m = independent.size();
  for (std::size_t i = 0; i < m; ++i) {
    const double pivot = normal.cholesky()[i * (m + 1)];
    if (pivot * pivot < 3 * pull[independent[i]]) return true;
  }
  return false;
}

Cancellations cancellations(const std::vector<double>& row_gram,
                            const std::vector<double>& column_gram, Index k) {
  Cancellations found{0, 0};
  for (Index i = 0; i < k; ++i) {
    for (Index j = 0; j < k; ++j)
      found.absolute += std::abs(row_gram[i * k + j] * column_gram[i * k + j]);
    found.energy += row_gram[i * (k + 1)] * column_gram[i * (k + 1)];
  }
  return found;
}

std::vector<double> noise_columns(const std::vector<double>& row_gram,
                                  const std::vector<double>& column_gram, Index k,
                                  double squared_norm) {
  std::vector<double> factors(k, 1.0);
  for (Index j = 0; j < k; ++j) {
    const double of_W = row_gram[j * (k + 1)];
    const double of_H = column_gram[j * (k + 1)];
    // If W_j is zero, H_j is kept, since the next row step may use it.
    if (of_H > 0 && of_W > 0 && of_W * of_H <= 1e-14 * squared_norm) factors[j] = 0;
  }
  const bool all_stay = std::ranges::all_of(factors, [](double factor) { return factor == 1; });
  return all_stay ? std::vector<double>() : factors;
}

}  // namespace safeguard
}  // namespace gemmine
