#include "factorization/second_start.h"

#include <algorithm>
#include <cmath>

#include "factorization/row_sample.h"

namespace gemmine {
namespace {

// A residual below this share of ‖X‖² is rounding of the factors.
constexpr double rounding_share = 1e-12;
// A second start is worth its reads of X if codes of free sign would gain this share of the least
// component or this share of the error, or if a direction outside H has this many times the energy
// of the least component.
constexpr double gain_of_least = 0.5;
constexpr double gain_of_error = 0.1;
constexpr double lacking_of_least = 1.2;

Index sample_rows_for(Index k) { return std::max<Index>(512, 4 * k); }

// x = (L Lᵀ)⁻¹ x, for a normal matrix with independent components.
void solve(const NormalMatrix& normal, std::vector<double>& x) {
  const Index k = normal.size();
  const double* L = normal.cholesky().data();
  for (Index i = 0; i < k; ++i) {
    for (Index t = 0; t < i; ++t) x[i] -= L[i * k + t] * x[t];
    x[i] /= L[i * k + i];
  }
  for (Index i = k - 1; i >= 0; --i) {
    x[i] /= L[i * k + i];
    for (Index t = 0; t < i; ++t) x[t] -= L[i * k + t] * x[i];
  }
}

double length_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

// σ² of the least component of W H, the smallest eigenvalue of (WᵀW)(HHᵀ), by inverse iteration;
// too large by some percent rather than too small.
double least_energy(const NormalMatrix& of_W, const NormalMatrix& of_H, std::uint64_t seed) {
  const CounterRandom random(seed, least_component);
  std::vector<double> x(static_cast<std::size_t>(of_W.size()));
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = random.normal(j, 0);
  double growth = 1;
  for (int step = 0; step < 20; ++step) {
    const double length = length_of(x);
    for (double& value : x) value /= length;
    solve(of_W, x);
    solve(of_H, x);
    growth = length_of(x);
  }
  return 1 / growth;
}

// The gain of codes of free sign for the same H, estimated over all rows: Σ g N⁻¹ gᵀ with N = HHᵀ
// and g = x Hᵀ − w N.
double gain_of_free_codes(const Input& input, const RowSample& sample, BackendView<const float> W,
                          const HostMatrix<float>& Ht, const NormalMatrix& of_H) {
  const Index k = W.cols;
  const HostMatrix<float> cross = sample.times(Ht);
  const HostMatrix<float> codes = sample.rows_of(W);
  std::vector<double> slope(static_cast<std::size_t>(k));
  double gain = 0;
  for (Index s = 0; s < sample.size(); ++s) {
    input.job.cancellation.check();
    for (Index j = 0; j < k; ++j) slope[j] = cross(s, j);
    for (Index i = 0; i < k; ++i) {
      if (codes(s, i) == 0) continue;
      for (Index j = 0; j < k; ++j) slope[j] -= codes(s, i) * of_H.gram()[i * k + j];
    }
    std::vector<double> change = slope;
    solve(of_H, change);
    for (Index j = 0; j < k; ++j) gain += slope[j] * change[j];
  }
  return gain;
}

// Subtracts from the rows of `basis` [c×d] their parts in the row space of H.
void leave_row_space(const HostMatrix<float>& Ht, const NormalMatrix& of_H,
                     HostMatrix<double>& basis) {
  std::vector<double> parts(static_cast<std::size_t>(Ht.cols()));
  for (Index c = 0; c < basis.rows(); ++c) {
    std::fill(parts.begin(), parts.end(), 0.0);
    for (Index t = 0; t < Ht.rows(); ++t)
      for (Index j = 0; j < Ht.cols(); ++j) parts[j] += basis(c, t) * Ht(t, j);
    solve(of_H, parts);
    for (Index t = 0; t < Ht.rows(); ++t)
      for (Index j = 0; j < Ht.cols(); ++j) basis(c, t) -= parts[j] * Ht(t, j);
  }
}

HostMatrix<float> transposed(const HostMatrix<double>& basis) {
  HostMatrix<float> columns(basis.cols(), basis.rows());
  for (Index t = 0; t < columns.rows(); ++t)
    for (Index c = 0; c < columns.cols(); ++c) columns(t, c) = static_cast<float>(basis(c, t));
  return columns;
}

// Σ (x·v)² over the rows x of a sample for the best direction v outside the row space of H: found
// in one sample by subspace iteration and measured in another, because the best direction for few
// rows overestimates the sum for all.
double lacking_energy(const RowSample& found_in, const RowSample& measured_in,
                      const HostMatrix<float>& Ht, const NormalMatrix& of_H, std::uint64_t seed) {
  const Index room = Ht.rows() - Ht.cols();
  if (room <= 0) return 0;
  const Index directions = std::min<Index>(4, room);
  const CounterRandom random(seed, lacking_basis);
  HostMatrix<double> basis(directions, Ht.rows());
  for (Index c = 0; c < directions; ++c)
    for (Index t = 0; t < Ht.rows(); ++t)
      basis(c, t) = random.normal(t, static_cast<std::uint32_t>(c));
  const Input& input = found_in.input();
  constexpr int steps = 4;
  for (int step = 0;; ++step) {
    leave_row_space(Ht, of_H, basis);
    input.backend.orthonormalise_rows(basis.view(), input.job);
    if (step == steps) break;
    const HostMatrix<double> next = found_in.times_gram(transposed(basis));
    basis = next;
  }
  const HostMatrix<float> along = measured_in.times(transposed(basis));
  HostMatrix<double> energies(directions, directions);
  for (Index s = 0; s < along.rows(); ++s)
    for (Index a = 0; a < directions; ++a)
      for (Index b = 0; b < directions; ++b) energies(a, b) += double{along(s, a)} * along(s, b);
  return input.backend.symmetric_eigen(energies.view()).front();
}

}  // namespace

bool svd_may_leave_less(const Input& input, BackendView<const float> W, BackendView<const float> Ht,
                        const std::vector<double>& row_gram, double squared_error,
                        std::uint64_t seed) {
  if (row_gram.empty() || squared_error <= rounding_share * input.squared_norm) return false;
  const NormalMatrix of_W(row_gram, W.cols, 0, true);
  const NormalMatrix of_H(input.backend.gram(Ht, input.job), W.cols, 0, true);
  if (!of_W.dependent().empty() || !of_H.dependent().empty()) return true;
  const HostMatrix<float> host_Ht = downloaded(input.backend, Ht);
  const Index count = sample_rows_for(W.cols);
  const RowSample one(input, count, CounterRandom(seed, sample_rows));
  const RowSample other(input, count, CounterRandom(seed, other_sample_rows));
  const double of_all = static_cast<double>(input.rows()) / static_cast<double>(one.size());
  const double least = least_energy(of_W, of_H, seed) / of_all;
  const double gain = gain_of_free_codes(input, one, W, host_Ht, of_H);
  if (gain > gain_of_least * least || gain > gain_of_error * squared_error / of_all) return true;
  return lacking_energy(one, other, host_Ht, of_H, seed) > lacking_of_least * least;
}

}  // namespace gemmine
