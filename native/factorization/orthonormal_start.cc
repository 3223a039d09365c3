#include <algorithm>

#include "factorization/model.h"
#include "factorization/random_streams.h"
#include "factorization/singular.h"
#include "factorization/sizes.h"
#include "factorization/starts.h"

namespace gemmine {
namespace {

// Ht = the right singular vectors, each with the sign for which the positive part of its left
// vector is the larger one.
void take_directions(const Input& input, std::uint64_t seed, BackendView<float> Ht) {
  const SingularTriplets triplets = leading_triplets(input, Ht.cols, seed);
  const ColumnParts parts = input.backend.column_parts(triplets.U.view(), input.job);
  std::vector<double> signs;
  for (Index j = 0; j < Ht.cols; ++j)
    signs.push_back(parts.positive[j] < parts.negative[j] ? -1.0 : 1.0);
  input.backend.copy(triplets.V.view(), Ht);
  input.backend.scale_columns(signs, Ht, input.job);
}

}  // namespace

double start_orthonormal(const Input& input, const FitOptions& options, BackendView<float> W,
                         BackendView<float> Ht) {
  Passes& device = input.backend;
  const Index k = W.cols;
  if (options.start == Start::random)
    device.fill_random({Distribution::normal, 1, options.seed, start_H}, Ht, input.job);
  else
    take_directions(input, options.seed, Ht);
  // Singular vectors are orthonormal only up to float32.
  device.orthonormalise_columns(0, Ht, input.job);
  const NormalMatrix normal(device.gram(Ht, input.job), k, 0, false);
  const auto sums = device.make_sums(input.cols(), k);
  input.read(Ht, normal, step_of(StepKind::project, 0, 0, 1), W, Measure::none, *sums);
  // ⟨X Ht, W⟩ = ‖W‖² is the part of ‖X‖² that W H explains.
  double explained = 0;
  for (Index j = 0; j < k; ++j) explained += sums->gram[j * (k + 1)];
  return input.squared_norm > 0 ? std::max(0.0, 1 - explained / input.squared_norm) : 1;
}

}  // namespace gemmine
