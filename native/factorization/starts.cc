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
void raise_zeros(const Input& input, std::uint64_t seed, RandomStream stream,
                 BackendView<float> factor) {
  const std::vector<double> sums = input.backend.column_sums(factor, input.job).absolute;
  const double mean = std::reduce(sums.begin(), sums.end()) /
                      (static_cast<double>(factor.rows) * static_cast<double>(factor.cols));
  input.backend.raise_small(static_cast<float>(1e-6 * mean), Distribution::uniform, mean, seed,
                            stream, factor, input.job);
}

}  // namespace

double start_factors(const Input& input, const FitOptions& options, BackendView<float> W,
                     BackendView<float> Ht) {
  const double share = start_by_name(input, options, W, Ht);
  const ModelRule& rule = rule_for(options.model, options.solver);
  if (rule.leaves_zeros) return share;
  raise_zeros(input, options.seed, raised_W, W);
  if (!rule.columns_free) raise_zeros(input, options.seed, raised_H, Ht);
  return share;
}

// NMF: |N(0, 1)| in both factors; semi-NMF: U(0, 1) in W, N(0, 1) in H; scaled so that W H has the
// mean, or the mean square, of X.
double start_random(const Input& input, const FitOptions& options, BackendView<float> W,
                    BackendView<float> Ht) {
  const auto entries = static_cast<double>(input.rows()) * static_cast<double>(input.cols());
  const auto k = static_cast<double>(W.cols);
  const bool semi = sign_of(options.model) == EntrySign::any;
  const double of_both = std::sqrt(input.mean / k);
  const double of_H = semi ? std::sqrt(3 * input.squared_norm / entries / k) : of_both;
  const auto fill = [&](Distribution distribution, double scale, RandomStream stream,
                        BackendView<float> factor) {
    input.backend.fill_random(distribution, scale, options.seed, stream, factor, input.job);
  };
  fill(semi ? Distribution::uniform : Distribution::half_normal, semi ? 1 : of_both, start_W, W);
  fill(semi ? Distribution::normal : Distribution::half_normal, of_H, start_H, Ht);
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
  const ColumnSums of_W = input.backend.column_sums(W, input.job);
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

}  // namespace gemmine
