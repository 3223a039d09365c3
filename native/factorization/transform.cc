#include <algorithm>
#include <cmath>

#include "factorization/factors.h"
#include "factorization/input.h"

namespace gemmine {
namespace {

// ‖X − W Htᵀ‖² + penalties on W, up to the noise of the sums.
double identity_objective(const Input& input, const Sums& sums, BackendView<const float> Ht,
                          const std::vector<double>& column_gram, const Penalties& p) {
  double objective = identity_error(input, sums, Ht, column_gram);
  for (Index j = 0; j < sums.k; ++j) objective += p.l2_w * sums.gram[j * (sums.k + 1)];
  return objective;
}

// Coordinate descent from W = 0, twice as many sweeps in each read of X, until a read changes the
// objective no more than float32's noise.
void sweep_until_still(const Input& input, const Penalties& penalties, BackendView<float> W,
                       BackendView<const float> other) {
  // Components that hardly differ need many; an abort waits for those of a tile of rows.
  const Index most_sweeps = std::clamp<Index>((Index{1} << 30) / (W.cols * W.cols), 1024, 8192);
  constexpr double relative = 1e-6;
  constexpr double noise = 2e-7;
  const std::vector<double> gram = input.backend.gram(other, input.job);
  const NormalMatrix normal(gram, W.cols, penalties.l2_w, false);
  const auto sums = input.backend.make_sums(other.rows, other.cols);
  double previous = input.squared_norm;
  for (Index sweeps = 32; sweeps <= most_sweeps; sweeps *= 2) {
    const Step step = step_of(StepKind::nonnegative_sweep, penalties.l1_w, penalties.l2_w, sweeps);
    input.read(other, normal, step, W, Measure::none, *sums);
    const double now = identity_objective(input, *sums, other, gram, penalties);
    if (std::abs(previous - now) <= relative * std::abs(now) + noise * input.squared_norm) return;
    previous = now;
  }
}

}  // namespace

TransformResult transform(Passes& backend, const RowSource& X, HostView<const float> H,
                          const TransformOptions& options, HostView<float> W, const Job& job) {
  const ScaledInput scaled_input(backend, {.X = X, .sign = sign_of(options.model)}, job);
  const Input& input = *scaled_input;
  const int of_X = scaled_input.exponent();
  const auto components = dense_source(H.data, ElementType::float32, H.rows, H.cols, H.stride);
  components->argument = "H";
  const int of_H = backend.examine({.X = *components, .sign = EntrySign::any}, job).exponent;
  const Exponents exponents{.X = of_X, .W = of_X - of_H, .H = of_H};
  const Penalties penalties =
      scaled({.l1_w = options.l1_w, .l2_w = options.l2_w, .l1_h = 0, .l2_h = 0}, exponents, 2);

  HostMatrix<float> Ht(H.cols, H.rows);
  for (Index t = 0; t < H.cols; ++t)
    for (Index j = 0; j < H.rows; ++j) Ht(t, j) = std::ldexp(H(j, t), -of_H);
  const BackendMatrix other(backend, H.cols, H.rows);
  const BackendMatrix codes(backend, W.rows, W.cols);
  backend.upload(Ht.view(), other.view());
  sweep_until_still(input, penalties, codes.view(), other.view());

  const double squared_error = input.squared_error(codes.view(), other.view());
  backend.download(codes.view(), W);
  for (Index i = 0; i < W.rows; ++i)
    for (Index j = 0; j < W.cols; ++j) W(i, j) = std::ldexp(W(i, j), exponents.W);
  return {.relative_error =
              input.squared_norm > 0 ? std::sqrt(squared_error / input.squared_norm) : 0};
}

}  // namespace gemmine
