#include <algorithm>
#include <cmath>

#include "factorization/model.h"
#include "factorization/random_streams.h"
#include "factorization/singular.h"
#include "factorization/sizes.h"
#include "factorization/starts.h"

namespace gemmine {
namespace {

// The right singular vectors, each with the sign for which the positive part of its left vector is
// the larger one.
HostMatrix<float> leading_directions(const Input& input, Index k, std::uint64_t seed) {
  SingularTriplets triplets = singular_triplets(
      input, {.rank = k, .oversamples = start_oversamples, .power_iterations = 4, .seed = seed});
  const HostMatrix<float> U = downloaded(input.backend, triplets.U.view());
  for (Index j = 0; j < k; ++j) {
    double balance = 0;
    for (Index i = 0; i < U.rows(); ++i) balance += double{U(i, j)} * std::abs(U(i, j));
    for (Index t = 0; balance < 0 && t < triplets.Vt.rows(); ++t)
      triplets.Vt(t, j) = -triplets.Vt(t, j);
  }
  return std::move(triplets.Vt);
}

// In float64, because the input is orthonormal only up to float32.
void orthonormalise_columns(Passes& device, HostMatrix<float>& Ht) {
  HostMatrix<double> H(Ht.cols(), Ht.rows());
  for (Index t = 0; t < Ht.rows(); ++t)
    for (Index j = 0; j < Ht.cols(); ++j) H(j, t) = Ht(t, j);
  device.orthonormalise_rows(H.view());
  for (Index t = 0; t < Ht.rows(); ++t)
    for (Index j = 0; j < Ht.cols(); ++j) Ht(t, j) = static_cast<float>(H(j, t));
}

}  // namespace

double start_orthonormal(const Input& input, const FitOptions& options, BackendView<float> W,
                         BackendView<float> Ht_out) {
  Passes& device = input.backend;
  const Index k = W.cols;
  if (options.start == Start::random)
    device.fill_random(Distribution::normal, 1, options.seed, start_H, Ht_out, input.job);
  HostMatrix<float> Ht = options.start == Start::random
                             ? downloaded(device, Ht_out)
                             : leading_directions(input, k, options.seed);
  orthonormalise_columns(device, Ht);
  device.upload(Ht.view(), Ht_out);
  const NormalMatrix normal(device.gram(Ht_out, input.job), k, 0, false);
  const auto sums = device.make_sums(input.cols(), k);
  input.read(Ht_out, normal, step_of(StepKind::project, 0, 0, 1), W, Measure::none, *sums);
  // ⟨X Ht, W⟩ = ‖W‖² is the part of ‖X‖² that W H explains.
  double explained = 0;
  for (Index j = 0; j < k; ++j) explained += sums->gram[j * (k + 1)];
  return input.squared_norm > 0 ? std::max(0.0, 1 - explained / input.squared_norm) : 1;
}

}  // namespace gemmine
