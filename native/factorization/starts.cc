#include "factorization/starts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "factorization/model.h"
#include "factorization/random_streams.h"

namespace gemmine {
namespace {

double start_by_name(const Input& input, const FitOptions& options, BackendView<float> W,
                     BackendView<float> Ht) {
  if (rule_for(options.model, options.solver).orthonormal)
    return start_orthonormal(input, options, W, Ht);
  switch (options.start) {
    case Start::random:
      return start_random(input, options, W, Ht);
    case Start::kmeans:
      return start_kmeans(input, options, W, Ht);
    case Start::svd:
      return start_svd(input, options, W, Ht);
    default:
      return start_nndsvd(input, options, W, Ht);
  }
}

// Multiplicative steps cannot leave a zero, and leave a near zero only after many iterations. Such
// entries become random numbers up to the mean. (Equal numbers would keep components equal that
// have no other entries, as those of empty clusters.)
void raise_zeros(const Input& input, std::uint64_t seed, RandomStream stream, Index first_row,
                 const ColumnSums& sums, Index rows, BackendView<float> factor) {
  const double mean = std::reduce(sums.absolute.begin(), sums.absolute.end()) /
                      (static_cast<double>(rows) * static_cast<double>(factor.cols));
  const Draws draws{Distribution::uniform, mean, seed, stream, first_row};
  input.backend.raise_small(static_cast<float>(1e-6 * mean), draws, factor, input.job);
}

}  // namespace

namespace {

// Rows of H of length 1; W takes their lengths.
void to_unit_rows(const Input& input, BackendView<float> W, BackendView<float> Ht) {
  const std::vector<double> squares = input.backend.column_sums(Ht, input.job).square;
  std::vector<double> lengths(squares.size(), 1.0);
  std::vector<double> inverses(squares.size(), 1.0);
  for (std::size_t j = 0; j < squares.size(); ++j) {
    if (squares[j] == 0) continue;
    lengths[j] = std::sqrt(squares[j]);
    inverses[j] = 1 / lengths[j];
  }
  input.backend.scale_columns(lengths, W, input.job);
  input.backend.scale_columns(inverses, Ht, input.job);
}

}  // namespace

double start_factors(const Input& input, const FitOptions& options, BackendView<float> W,
                     BackendView<float> Ht) {
  const double share = start_by_name(input, options, W, Ht);
  const ModelRule& rule = rule_for(options.model, options.solver);
  if (rule.unit_ball) to_unit_rows(input, W, Ht);
  if (rule.one_component) {
    const NormalMatrix normal(input.backend.gram(Ht, input.job), Ht.cols, 0, false);
    input.improve(Ht, normal, step_of(rule.row_step, 0, 0, 1), W);
    return 1;
  }
  if (rule.leaves_zeros) return share;
  raise_zeros(input, options.seed, raised_W, input.first_row, input.column_sums_of_W(W),
              input.all_rows, W);
  if (!rule.columns_free)
    raise_zeros(input, options.seed, raised_H, 0, input.backend.column_sums(Ht, input.job), Ht.rows,
                Ht);
  return share;
}

// NMF: |N(0, 1)| in both factors; semi-NMF: U(0, 1) in W, N(0, 1) in H; scaled so that W H has the
// mean, or the mean square, of X.
double start_random(const Input& input, const FitOptions& options, BackendView<float> W,
                    BackendView<float> Ht) {
  const auto entries = static_cast<double>(input.all_rows) * static_cast<double>(input.cols());
  const auto k = static_cast<double>(W.cols);
  const bool semi = sign_of(options.model) == EntrySign::any;
  const double of_both = std::sqrt(input.mean / k);
  const double of_H = semi ? std::sqrt(3 * input.squared_norm / entries / k) : of_both;
  const Draws of_W{.distribution = semi ? Distribution::uniform : Distribution::half_normal,
                   .scale = semi ? 1 : of_both,
                   .seed = options.seed,
                   .stream = start_W,
                   .first_row = input.first_row};
  const Draws of_Ht{.distribution = semi ? Distribution::normal : Distribution::half_normal,
                    .scale = of_H,
                    .seed = options.seed,
                    .stream = start_H};
  input.backend.fill_random(of_W, W, input.job);
  input.backend.fill_random(of_Ht, Ht, input.job);
  return 1;
}

namespace {

// The a that minimises A a + B a² + C/a + D/a²; the derivative by log a is increasing.
double best_stretch(double A, double B, double C, double D) {
  double low = -100;
  double high = 100;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    const double a = std::exp2(middle);
    const double slope = A * a + 2 * B * a * a - C / a - 2 * D / (a * a);
    (slope > 0 ? high : low) = middle;
  }
  return std::exp2(low);
}

}  // namespace

void balance(const Input& input, const Penalties& p, BackendView<float> W, BackendView<float> Ht) {
  if (p.l1_w + p.l2_w == 0 || p.l1_h + p.l2_h == 0) return;
  const ColumnSums of_W = input.column_sums_of_W(W);
  const ColumnSums of_H = input.backend.column_sums(Ht, input.job);
  std::vector<double> stretch(W.cols, 1.0);
  std::vector<double> shrink(W.cols, 1.0);
  for (Index j = 0; j < W.cols; ++j) {
    if (of_W.square[j] == 0 || of_H.square[j] == 0) continue;
    stretch[j] = best_stretch(p.l1_w * of_W.absolute[j], p.l2_w * of_W.square[j],
                              p.l1_h * of_H.absolute[j], p.l2_h * of_H.square[j]);
    shrink[j] = 1 / stretch[j];
  }
  input.backend.scale_columns(stretch, W, input.job);
  input.backend.scale_columns(shrink, Ht, input.job);
}

void keep_below(const Input& input, const Penalties& p, BackendView<float> W,
                BackendView<float> Ht) {
  if (!bounds(p)) return;
  Passes& backend = input.backend;
  const ColumnParts of_W = backend.column_parts(W, input.job);
  const ColumnParts of_H = backend.column_parts(Ht, input.job);
  std::vector<double> shrink(W.cols, 1.0);
  std::vector<double> stretch(W.cols, 1.0);
  for (Index j = 0; j < W.cols; ++j) {
    const double over_W = of_W.most[j] / p.upper_w;  // 0 without a bound
    const double over_H = of_H.most[j] / p.upper_h;
    if (!(over_W > 1 || over_H > 1)) continue;
    stretch[j] = over_H == 0 ? over_W : over_W == 0 ? 1 / over_H : std::sqrt(over_W / over_H);
    shrink[j] = 1 / stretch[j];
  }
  backend.scale_columns(shrink, W, input.job);
  backend.scale_columns(stretch, Ht, input.job);
  if (p.upper_w < unbounded) backend.clamp(0, static_cast<float>(p.upper_w), W, input.job);
  if (p.upper_h < unbounded) backend.clamp(0, static_cast<float>(p.upper_h), Ht, input.job);
}

}  // namespace gemmine
