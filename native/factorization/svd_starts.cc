#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/random.h"
#include "factorization/random_streams.h"
#include "factorization/singular.h"
#include "factorization/sizes.h"
#include "factorization/starts.h"

namespace gemmine {
namespace {

// The leading triplets on the host; computed once per start.
struct Triplets {
  HostMatrix<float> U;  // [n×r]
  std::vector<double> s;
  HostMatrix<float> Vt;  // [d×r]
};

Triplets leading_triplets(const Input& input, Index rank, std::uint64_t seed) {
  SingularTriplets found = singular_triplets(
      input, {.rank = rank, .oversamples = start_oversamples, .power_iterations = 4, .seed = seed});
  return {downloaded(input.backend, found.U.view()), std::move(found.s), std::move(found.Vt)};
}

double share_left(const Input& input, const std::vector<double>& s) {
  double kept = 0;
  for (const double value : s) kept += value * value;
  return input.squared_norm > 0 ? std::max(0.0, 1 - kept / input.squared_norm) : 1;
}

void flip(Triplets& triplets, Index j) {
  for (Index i = 0; i < triplets.U.rows(); ++i) triplets.U(i, j) = -triplets.U(i, j);
  for (Index t = 0; t < triplets.Vt.rows(); ++t) triplets.Vt(t, j) = -triplets.Vt(t, j);
}

// Flips signs of the first `count` components so that the least entry of each column of U is as
// large as possible.
void flip_towards_positive(Triplets& triplets, Index count) {
  const HostMatrix<float>& U = triplets.U;
  for (Index j = 0; j < count; ++j) {
    float least = U(0, j);
    float most = U(0, j);
    for (Index i = 0; i < U.rows(); ++i) {
      least = std::min(least, U(i, j));
      most = std::max(most, U(i, j));
    }
    if (least < -most) flip(triplets, j);
  }
}

// k = 1: the positive part of the first left singular vector, with the sign that makes most entries
// positive. The first right singular vector times s fits it, because both are singular vectors.
void rank_one(Triplets& triplets, HostMatrix<float>& W, HostMatrix<float>& Ht) {
  const HostMatrix<float>& U = triplets.U;
  Index positive = 0;
  Index negative = 0;
  for (Index i = 0; i < U.rows(); ++i) (U(i, 0) > 0 ? positive : negative) += U(i, 0) != 0;
  const float sign = negative > positive ? -1.0f : 1.0f;
  const auto length = std::sqrt(static_cast<float>(U.rows()));
  for (Index i = 0; i < W.rows(); ++i) W(i, 0) = std::max(0.0f, sign * U(i, 0)) * length;
  for (Index t = 0; t < Ht.rows(); ++t)
    Ht(t, 0) = sign * triplets.Vt(t, 0) * static_cast<float>(triplets.s[0]) / length;
}

// Multiplicative steps cannot change zeros, so entries stay above zero by this much, or by this
// share of the shift.
constexpr double above = 1e-3;
// A component with a larger shift would lose its digits in float32.
constexpr double largest_shift = 100;

// The multiples of the first left singular vector that make each other one non-negative; a vector
// is flipped if it then needs less. None if the first one has entries of both signs, or if some
// vector needs too much.
std::optional<std::vector<double>> shifts_along_first(Triplets& triplets) {
  const HostMatrix<float>& U = triplets.U;
  const Index k = U.cols();
  std::vector<double> lowest(static_cast<std::size_t>(k));
  std::vector<double> highest(static_cast<std::size_t>(k));
  for (Index i = 0; i < U.rows(); ++i)
    for (Index j = 1; j < k; ++j) {
      if (U(i, j) == 0) continue;
      const double ratio = U(i, 0) > 0 ? double{U(i, j)} / U(i, 0) : 2 * largest_shift;
      lowest[j] = std::min(U(i, 0) > 0 ? ratio : -ratio, lowest[j]);
      highest[j] = std::max(ratio, highest[j]);
    }
  std::vector<double> shifts(static_cast<std::size_t>(k));
  for (Index j = 1; j < k; ++j) {
    shifts[j] = std::min(-lowest[j], highest[j]);
    if (shifts[j] > largest_shift) return std::nullopt;
    if (highest[j] < -lowest[j]) flip(triplets, j);
    shifts[j] += above * (1 + shifts[j]);
  }
  return shifts;
}

// Gillis & Kumar (2015), section 4: if the first left singular vector u is positive, as for X >= 0,
// then U + u·shiftsᵀ >= 0, so the best approximation of rank k has a form with W >= 0.
void lift_along_first(const Triplets& triplets, const std::vector<double>& shifts,
                      HostMatrix<float>& W, HostMatrix<float>& Ht) {
  const double length = std::sqrt(static_cast<double>(W.rows()));
  for (Index i = 0; i < W.rows(); ++i)
    for (Index j = 0; j < W.cols(); ++j)
      W(i, j) = static_cast<float>(
          std::max(0.0, length * (triplets.U(i, j) + shifts[j] * triplets.U(i, 0))));
  for (Index t = 0; t < Ht.rows(); ++t) {
    double first = triplets.s[0] * triplets.Vt(t, 0);
    for (Index j = 1; j < Ht.cols(); ++j) {
      const double entry = triplets.s[j] * triplets.Vt(t, j);
      Ht(t, j) = static_cast<float>(entry / length);
      first -= shifts[j] * entry;
    }
    Ht(t, 0) = static_cast<float>(first / length);
  }
}

// Gillis & Kumar (2015), Algorithm 2: the best approximation of rank k − 1, U A, becomes
// W = [U + m 1ᵀ, m] >= 0 and H = [A; −1ᵀA], with the same product for any shift m of the rows.
void lift_by_a_component(Triplets& triplets, HostMatrix<float>& W, HostMatrix<float>& Ht) {
  const Index r = W.cols() - 1;
  const double length = std::sqrt(static_cast<double>(W.rows()));
  flip_towards_positive(triplets, r);
  for (Index i = 0; i < W.rows(); ++i) {
    const float* row = triplets.U.row(i);
    const double shift = above - std::min(0.0, length * *std::min_element(row, row + r));
    for (Index j = 0; j < r; ++j) W(i, j) = static_cast<float>(length * row[j] + shift);
    W(i, r) = static_cast<float>(shift);
  }
  for (Index t = 0; t < Ht.rows(); ++t) {
    double sum = 0;
    for (Index j = 0; j < r; ++j) {
      Ht(t, j) = static_cast<float>(triplets.s[j] * triplets.Vt(t, j) / length);
      sum += Ht(t, j);
    }
    Ht(t, r) = static_cast<float>(-sum);
  }
}

}  // namespace

double start_svd(const Input& input, const FitOptions& options, BackendView<float> W_out,
                 BackendView<float> Ht_out) {
  const Index k = W_out.cols;
  Triplets triplets = leading_triplets(input, k, options.seed);
  HostMatrix<float> W(input.rows(), k);
  HostMatrix<float> Ht(input.cols(), k);
  flip_towards_positive(triplets, 1);
  if (k == 1) {
    rank_one(triplets, W, Ht);
  } else if (const auto shifts = shifts_along_first(triplets)) {
    lift_along_first(triplets, *shifts, W, Ht);
  } else {
    lift_by_a_component(triplets, W, Ht);
    triplets.s.pop_back();
  }
  input.backend.upload(W.view(), W_out);
  input.backend.upload(Ht.view(), Ht_out);
  return k == 1 ? 1 : share_left(input, triplets.s);
}

namespace {

// Lengths of the positive and the negative part of a column.
struct Parts {
  double positive;
  double negative;
};

Parts part_lengths(const HostMatrix<float>& A, Index j) {
  Parts squares{0, 0};
  for (Index i = 0; i < A.rows(); ++i)
    (A(i, j) > 0 ? squares.positive : squares.negative) += double{A(i, j)} * A(i, j);
  return {std::sqrt(squares.positive), std::sqrt(squares.negative)};
}

// to_j = size · part / ‖part‖, with the part of from_j that has the given sign.
void take_part(const HostMatrix<float>& from, Index j, double sign, double length, double size,
               HostMatrix<float>& to) {
  for (Index i = 0; i < from.rows(); ++i)
    to(i, j) =
        length > 0 ? static_cast<float>(size * std::max(0.0, sign * from(i, j)) / length) : 0;
}

// Small entries become zeros (nndsvd), the mean (nndsvda) or random values up to a hundredth of it
// (nndsvdar).
void fill_zeros(HostMatrix<float>& factor, const FitOptions& options, double mean,
                RandomStream stream) {
  constexpr float smallest = 1e-6f;
  const CounterRandom random(options.seed, stream);
  for (Index i = 0; i < factor.rows(); ++i)
    for (Index j = 0; j < factor.cols(); ++j) {
      if (factor(i, j) >= smallest) continue;
      double fill = 0;
      if (options.start == Start::nndsvda) fill = mean;
      if (options.start == Start::nndsvdar)
        fill = std::abs(mean * random.normal(i, static_cast<std::uint32_t>(j)) / 100);
      factor(i, j) = static_cast<float>(fill);
    }
}

}  // namespace

// Boutsidis & Gallopoulos (2008), "SVD based initialization: a head start for nonnegative matrix
// factorization", Pattern Recognition 41(4): of each pair of singular vectors the larger of the
// positive and the negative parts' product.
double start_nndsvd(const Input& input, const FitOptions& options, BackendView<float> W_out,
                    BackendView<float> Ht_out) {
  const Index k = W_out.cols;
  const Triplets triplets = leading_triplets(input, k, options.seed);
  HostMatrix<float> W(input.rows(), k);
  HostMatrix<float> Ht(input.cols(), k);
  for (Index j = 0; j < k; ++j) {
    const Parts u = part_lengths(triplets.U, j);
    const Parts v = part_lengths(triplets.Vt, j);
    const bool positive = u.positive * v.positive >= u.negative * v.negative;
    const double sign = positive ? 1 : -1;
    const double of_u = positive ? u.positive : u.negative;
    const double of_v = positive ? v.positive : v.negative;
    const double size = std::sqrt(triplets.s[j] * of_u * of_v);
    take_part(triplets.U, j, sign, of_u, size, W);
    take_part(triplets.Vt, j, sign, of_v, size, Ht);
  }
  fill_zeros(W, options, input.mean, start_W);
  fill_zeros(Ht, options, input.mean, start_H);
  input.backend.upload(W.view(), W_out);
  input.backend.upload(Ht.view(), Ht_out);
  return share_left(input, triplets.s);
}

}  // namespace gemmine
