#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "factorization/loop/low_rank.h"
#include "factorization/positive_direction.h"
#include "factorization/random_streams.h"
#include "factorization/singular.h"
#include "factorization/sizes.h"
#include "factorization/starts.h"

namespace gemmine {
namespace {

double share_left(const Input& input, std::span<const double> s) {
  double kept = 0;
  for (const double value : s) kept += value * value;
  return input.squared_norm > 0 ? std::max(0.0, 1 - kept / input.squared_norm) : 1;
}

// Multiplies the pairs of singular vectors by their signs, ±1.
void flip(const Input& input, SingularTriplets& triplets, const std::vector<double>& signs) {
  input.backend.scale_columns(signs, triplets.U.view(), input.job);
  input.backend.scale_columns(signs, triplets.V.view(), input.job);
}

// Flips signs of the first `count` components so that the least entry of each column of U is as
// large as possible.
void flip_towards_positive(const Input& input, SingularTriplets& triplets, Index count) {
  const ColumnParts parts = input.backend.column_parts(triplets.U.view(), input.job);
  std::vector<double> signs(triplets.s.size(), 1.0);
  for (Index j = 0; j < count; ++j)
    if (parts.least[j] < -parts.most[j]) signs[j] = -1;
  flip(input, triplets, signs);
}

// Multiplies each column by its number; negative entries become 0.
void take_positive(const Input& input, const std::vector<double>& by, BackendView<float> factor) {
  input.backend.scale_columns(by, factor, input.job);
  input.backend.clamp(0, unbounded, factor, input.job);
}

// The following change W and return the matrix B of Ht = V·B.

// k = 1: the positive part of the first left singular vector, with the sign that makes most entries
// positive. The first right singular vector times s fits it, because both are singular vectors.
HostMatrix<double> rank_one(const Input& input, const SingularTriplets& triplets,
                            BackendView<float> W) {
  const ColumnParts parts = input.backend.column_parts(W, input.job);
  const double sign = parts.negatives[0] > parts.positives[0] ? -1 : 1;
  const double length = std::sqrt(static_cast<double>(W.rows));
  take_positive(input, {sign * length}, W);
  HostMatrix<double> of_V(1, 1);
  of_V(0, 0) = sign * triplets.s[0] / length;
  return of_V;
}

// Multiplicative steps cannot change zeros, so entries stay above zero by this much, or by this
// share of the shift.
constexpr double above = 1e-3;
// A component with a larger shift would lose its digits in float32.
constexpr double largest_shift = 100;

// The multiples of the first column of U that make each other one non-negative; a column is flipped
// if it then needs less, with its column of B in the product U Bᵀ. None if the first one has
// entries of both signs, or if some column needs too much.
std::optional<std::vector<double>> shifts_along_first(const Input& input, BackendView<float> U,
                                                      HostMatrix<double>& B) {
  const ColumnRatios ratios = input.backend.ratios_to_first(U, input.job);
  const auto k = static_cast<std::size_t>(U.cols);
  std::vector<double> shifts(k);
  std::vector<double> signs(k, 1.0);
  for (std::size_t j = 1; j < shifts.size(); ++j) {
    shifts[j] = std::min(-ratios.least[j], ratios.most[j]);
    if (shifts[j] > largest_shift) return std::nullopt;
    if (ratios.most[j] < -ratios.least[j]) signs[j] = -1;
    shifts[j] += above * (1 + shifts[j]);
  }
  input.backend.scale_columns(signs, U, input.job);
  for (Index i = 0; i < B.rows(); ++i)
    for (std::size_t j = 0; j < k; ++j) B.row(i)[j] *= signs[j];
  return shifts;
}

// The reflection whose first column is the unit vector y.
HostMatrix<double> reflection_of(const std::vector<double>& y) {
  const auto k = static_cast<Index>(y.size());
  std::vector<double> normal = y;
  normal[0] -= 1;
  double square = 0;
  for (const double value : normal) square += value * value;
  HostMatrix<double> Q(k, k);
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < k; ++j)
      Q(i, j) = (i == j) - (square > 0 ? 2 * normal[i] * normal[j] / square : 0);
  return Q;
}

// Gillis & Kumar (2015), Algorithm 3 and section 4: if a vector u > 0 is in the span of the left
// singular vectors, such as the first one for X >= 0, an orthonormal basis U of it with u first has
// U + u·shiftsᵀ >= 0, so the best approximation of rank k has a form with W >= 0. None if no such
// vector is found; U is then as before.
std::optional<HostMatrix<double>> lift_along_positive(const Input& input,
                                                      const SingularTriplets& triplets,
                                                      BackendView<float> W) {
  const BackendView<float> U = triplets.U.view();
  const Index k = W.cols;
  HostMatrix<double> of_V(k, k);
  for (Index j = 0; j < k; ++j) of_V(j, j) = triplets.s[j];
  auto shifts = shifts_along_first(input, U, of_V);
  if (!shifts) {
    const auto Q = reflection_of(positive_direction(input, U, W.column_block(0, 1)));
    input.backend.multiply(U, Q.view(), U, input.job);
    for (Index i = 0; i < k; ++i)
      for (Index j = 0; j < k; ++j) of_V(i, j) = triplets.s[i] * Q(i, j);
    shifts = shifts_along_first(input, U, of_V);
    if (!shifts) input.backend.multiply(U, Q.view(), U, input.job);
  }
  if (!shifts) return std::nullopt;
  const double length = std::sqrt(static_cast<double>(W.rows));
  input.backend.copy(U, W);
  input.backend.add_first(*shifts, length, W, input.job);
  input.backend.clamp(0, unbounded, W, input.job);
  for (Index i = 0; i < k; ++i) {
    for (Index j = 1; j < k; ++j) of_V(i, 0) -= (*shifts)[j] * of_V(i, j);
    for (Index j = 0; j < k; ++j) of_V(i, j) /= length;
  }
  return of_V;
}

// Gillis & Kumar (2015), Algorithm 2: the best approximation of rank k − 1, U A, becomes
// W = [U + m 1ᵀ, m] >= 0 and H = [A; −1ᵀA], with the same product for any shift m of the rows.
HostMatrix<double> lift_by_a_component(const Input& input, const SingularTriplets& triplets,
                                       BackendView<float> W) {
  const Index r = W.cols - 1;
  const double length = std::sqrt(static_cast<double>(W.rows));
  input.backend.lift_rows(length, above, W, input.job);
  HostMatrix<double> of_V(W.cols, W.cols);
  for (Index j = 0; j < r; ++j) {
    of_V(j, j) = triplets.s[j] / length;
    of_V(j, r) = -of_V(j, j);
  }
  return of_V;
}

}  // namespace

SingularTriplets leading_triplets(const Input& input, Index rank, std::uint64_t seed,
                                  Index further) {
  return singular_triplets(
      input, {.rank = rank, .oversamples = start_oversamples, .power_iterations = 3, .seed = seed},
      further);
}

double start_svd(const Input& input, const FitOptions& options, BackendView<float> W,
                 BackendView<float> Ht) {
  const Index k = W.cols;
  SingularTriplets triplets = leading_triplets(input, k, options.seed);
  flip_towards_positive(input, triplets, 1);
  std::optional<HostMatrix<double>> of_V;
  if (k > 1) of_V = lift_along_positive(input, triplets, W);
  const bool loses_one = k > 1 && !of_V;
  if (loses_one) flip_towards_positive(input, triplets, k - 1);
  if (!of_V) {
    input.backend.copy(triplets.U.view(), W);
    of_V = k == 1 ? rank_one(input, triplets, W) : lift_by_a_component(input, triplets, W);
  }
  if (loses_one) triplets.s.pop_back();
  input.backend.multiply(triplets.V.view(), of_V->view(), Ht, input.job);
  return k == 1 ? 1 : share_left(input, triplets.s);
}

namespace {

// Small entries become zeros (nndsvd), the mean (nndsvda) or random values up to a hundredth of it
// (nndsvdar). Steps that cannot leave a zero grow from the mean only slowly where it is far below
// the largest entries, as in sparse counts: for them components of filled entries have the mean as
// their product.
void fill_zeros(const Input& input, const FitOptions& options, RandomStream stream,
                BackendView<float> factor) {
  const float largest_small = std::nextafter(1e-6f, 0.0f);
  const bool random = options.start == Start::nndsvdar || options.start == Start::low_rank;
  const bool grows = rule_for(options.model, options.solver).leaves_zeros;
  const double mean = grows ? input.mean : std::sqrt(input.mean / static_cast<double>(factor.cols));
  const double share = options.start == Start::nndsvda ? 1 : 0;
  const Draws draws{.distribution = random ? Distribution::half_normal : Distribution::constant,
                    .scale = random ? 0.01 * input.mean : share * mean,
                    .seed = options.seed,
                    .stream = stream};
  input.backend.raise_small(largest_small, draws, factor, input.job);
}

}  // namespace

// Boutsidis & Gallopoulos (2008), "SVD based initialization: a head start for nonnegative matrix
// factorization", Pattern Recognition 41(4): of each pair of singular vectors the larger of the
// positive and the negative parts' product.
double start_nndsvd(const Input& input, const FitOptions& options, BackendView<float> W,
                    BackendView<float> Ht) {
  const bool improves = options.start == Start::low_rank;
  SingularTriplets triplets =
      leading_triplets(input, W.cols, options.seed, improves ? start_oversamples : 0);
  input.backend.copy(triplets.U.view().column_block(0, W.cols), W);
  input.backend.copy(triplets.V.view().column_block(0, W.cols), Ht);
  const ColumnParts of_U = input.backend.column_parts(W, input.job);
  const ColumnParts of_V = input.backend.column_parts(Ht, input.job);
  std::vector<double> by_U, by_V;
  for (Index j = 0; j < W.cols; ++j) {
    const bool positive =
        of_U.positive[j] * of_V.positive[j] >= of_U.negative[j] * of_V.negative[j];
    const double u = std::sqrt(positive ? of_U.positive[j] : of_U.negative[j]);
    const double v = std::sqrt(positive ? of_V.positive[j] : of_V.negative[j]);
    const double size = (positive ? 1 : -1) * std::sqrt(triplets.s[j] * u * v);
    by_U.push_back(u > 0 ? size / u : 0);
    by_V.push_back(v > 0 ? size / v : 0);
  }
  take_positive(input, by_U, W);
  take_positive(input, by_V, Ht);
  fill_zeros(input, options, start_W, W);
  fill_zeros(input, options, start_H, Ht);
  const double share = share_left(input, std::span(triplets.s).first(by_U.size()));
  if (improves) improve_on_low_rank(input, std::move(triplets), W, Ht);
  return share;
}

}  // namespace gemmine
