#include "factorization/orthonormal_block.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/normal_matrix.h"
#include "factorization/factors.h"
#include "factorization/random_streams.h"

namespace gemmine {
namespace {

// Pivots are shares of the squared length of a column that its part outside the span of the columns
// before it has. A float64 Gram matrix cannot tell smaller ones than smallest_float64_pivot from
// rounding errors: they are raised to it, nothing is projected on their columns, because the errors
// would grow with each such column, and another round follows.
// A round leaves errors of about 1e-15 divided by the least pivot.
constexpr double enough = 1e-8;
// After a round, a column with a smaller pivot depends on others exactly.
constexpr double dependent_pivot = 1e-10;
constexpr int most_rounds = 6;

// One round: with C the columns before a block D, N = CᵀC, h = N⁻¹CᵀD and RᵀR = DᵀD − hᵀNh, D
// becomes (D − C h) R⁻¹.
struct Round {
  HostMatrix<double> by;  // [−h R⁻¹; R⁻¹]
  double least_pivot = 1;
  std::vector<Index> dependent;  // columns of the block
};

// Cholesky's R, upper triangular, in place of M, whose diagonal was `lengths` before the
// projection.
void factorize(HostMatrix<double>& M, const std::vector<double>& lengths, bool first_round,
               Round& round) {
  const Index k = M.cols();
  for (Index i = 0; i < k; ++i) {
    const double pivot = lengths[i] > 0 ? M(i, i) / lengths[i] : 0;
    if (lengths[i] == 0 || (!first_round && pivot < dependent_pivot)) {
      round.dependent.push_back(i);
      round.least_pivot = 0;
      std::fill_n(M.row(i), k, 0.0);
      M(i, i) = 1;
      continue;
    }
    round.least_pivot = std::min(round.least_pivot, pivot);
    const bool is_noise = pivot < smallest_float64_pivot;
    const double diagonal =
        std::sqrt(std::max(std::abs(pivot), smallest_float64_pivot) * lengths[i]);
    M(i, i) = diagonal;
    if (is_noise) {
      std::fill_n(M.row(i) + i + 1, k - i - 1, 0.0);
      continue;
    }
    for (Index j = i + 1; j < k; ++j) M(i, j) /= diagonal;
    for (Index t = i + 1; t < k; ++t)
      for (Index j = t; j < k; ++j) M(t, j) -= M(i, t) * M(i, j);
  }
}

// [−h R⁻¹; R⁻¹].
HostMatrix<double> factors_of_columns(const std::vector<double>& h, const HostMatrix<double>& R) {
  const Index k = R.cols();
  const Index first = static_cast<Index>(h.size()) / k;
  HostMatrix<double> by(first + k, k);
  const auto subtract = [&](double weight, Index from, double* to) {
    const double* row = by.row(first + from);
    for (Index j = from; j < k; ++j) to[j] -= weight * row[j];
  };
  for (Index i = k - 1; i >= 0; --i) {
    double* row = by.row(first + i);
    row[i] = 1;
    for (Index t = i + 1; t < k; ++t) subtract(R(i, t), t, row);
    for (Index j = i; j < k; ++j) row[j] /= R(i, i);
  }
  for (Index i = 0; i < first; ++i)
    for (Index t = 0; t < k; ++t) subtract(h[i * k + t], t, by.row(i));
  return by;
}

// N⁻¹·(CᵀD) for N near the identity, [f×k].
std::vector<double> projection(const HostMatrix<double>& N, const std::vector<double>& CtD,
                               Index k) {
  std::vector<double> h(static_cast<std::size_t>(N.rows() * k));
  for (Index i = 0; i < N.rows(); ++i)
    for (Index t = 0; t < N.rows(); ++t) {
      const double weight = (i == t ? 2 : 0) - N(i, t);
      for (Index j = 0; j < k; ++j) h[i * k + j] += weight * CtD[t * k + j];
    }
  return h;
}

Round round_of(Passes& device, BackendView<const float> basis, const HostMatrix<double>& before,
               bool first_round, const Job& job) {
  const Index first = before.rows();
  const Index k = basis.cols - first;
  const std::vector<double> gram =
      device.cross_gram(basis, basis.column_block(first, k), job);  // [CᵀD; DᵀD]
  const std::vector<double> h = projection(before, gram, k);
  HostMatrix<double> M(k, k);
  std::copy_n(gram.data() + first * k, k * k, M.row(0));
  std::vector<double> lengths;
  for (Index j = 0; j < k; ++j) lengths.push_back(M(j, j));
  for (Index t = 0; t < first; ++t)
    for (Index i = 0; i < k; ++i)
      for (Index j = i; j < k; ++j) M(i, j) -= h[t * k + i] * gram[t * k + j];
  Round round{.by = HostMatrix<double>(0, 0), .dependent = {}};
  factorize(M, lengths, first_round, round);
  round.by = factors_of_columns(h, M);
  return round;
}

}  // namespace

// Cholesky QR in repeated rounds: Fukaya et al. (2014), "CholeskyQR2"; with the projection in the
// same round: Carson, Lund & Rozložník (2021), "The stability of block variants of classical
// Gram–Schmidt", SIAM J. Matrix Anal. Appl. 42(3).
void orthonormalise_block(Passes& device, BackendView<float> basis,
                          const HostMatrix<double>& before, std::uint64_t seed, const Job& job) {
  const Index first = before.rows();
  const Index k = basis.cols - first;
  const BackendView<float> block = basis.column_block(first, k);
  for (int turn = 0; turn < most_rounds; ++turn) {
    const Round round = round_of(device, basis, before, turn == 0, job);
    device.multiply(basis, round.by.view(), block, job);
    if (round.least_pivot >= enough) return;
    for (const Index j : round.dependent) {
      constexpr Index apart = Index{1} << 40;  // rows of the draws of one column
      const Draws draws{.distribution = Distribution::normal,
                        .scale = 1,
                        .seed = seed,
                        .stream = svd_basis,
                        .first_row = (first + j + 1) * apart};
      device.fill_random(draws, block.column_block(j, 1), job);
    }
  }
  device.orthonormalise_columns(first, basis, job);
}

}  // namespace gemmine
