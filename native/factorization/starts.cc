#include "factorization/starts.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "factorization/random_streams.h"
#include "factorization/rules.h"

namespace gemmine {

double start_factors(const Input& input, const FitOptions& options, BackendView<float> W,
                     BackendView<float> Ht) {
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

// NMF: |N(0, 1)| in both factors; semi-NMF: U(0, 1) in W, N(0, 1) in H; of a size that gives W H
// the mean, or the mean square, of X.
double start_random(const Input& input, const FitOptions& options, BackendView<float> W,
                    BackendView<float> Ht) {
  const auto entries = static_cast<double>(input.rows()) * static_cast<double>(input.cols());
  const auto k = static_cast<double>(W.cols);
  const bool semi = options.model == Model::semi_nmf;
  const double of_both = std::sqrt(input.mean / k);
  const double of_H = semi ? std::sqrt(3 * input.squared_norm / entries / k) : of_both;
  const auto fill = [&](BackendView<float> factor, RandomStream stream, auto draw) {
    const CounterRandom random(options.seed, stream);
    visit_rows(input.backend, factor, true, [&](Index begin, HostView<float> block) {
      for (Index i = 0; i < block.rows; ++i)
        for (Index j = 0; j < block.cols; ++j)
          block(i, j) = static_cast<float>(draw(random, begin + i, static_cast<std::uint32_t>(j)));
    });
  };
  fill(W, start_W, [&](const CounterRandom& random, Index row, std::uint32_t item) {
    return semi ? random.uniform(row, item) : of_both * std::abs(random.normal(row, item));
  });
  fill(Ht, start_H, [&](const CounterRandom& random, Index row, std::uint32_t item) {
    const double value = of_H * random.normal(row, item);
    return semi ? value : std::abs(value);
  });
  return 1;
}

namespace {

// The a that minimises A a + B a² + C/a + D/a², whose derivative by log a increases.
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

// Σ|·| and Σ(·)² of each column.
struct ColumnSums {
  std::vector<double> absolute;
  std::vector<double> square;
};

ColumnSums column_sums(Backend& backend, BackendView<float> factor) {
  ColumnSums sums{std::vector<double>(factor.cols), std::vector<double>(factor.cols)};
  visit_rows(backend, factor, false, [&](Index, HostView<float> block) {
    for (Index i = 0; i < block.rows; ++i)
      for (Index j = 0; j < block.cols; ++j) {
        const double value = block(i, j);
        sums.absolute[j] += std::abs(value);
        sums.square[j] += value * value;
      }
  });
  return sums;
}

}  // namespace

void balance(Backend& backend, const Penalties& p, BackendView<float> W, BackendView<float> Ht) {
  if (p.l1_w + p.l2_w == 0 || p.l1_h + p.l2_h == 0) return;
  const ColumnSums of_W = column_sums(backend, W);
  const ColumnSums of_H = column_sums(backend, Ht);
  std::vector<double> stretch(W.cols, 1.0);
  for (Index j = 0; j < W.cols; ++j)
    if (of_W.square[j] > 0 && of_H.square[j] > 0)
      stretch[j] = best_stretch(p.l1_w * of_W.absolute[j], p.l2_w * of_W.square[j],
                                p.l1_h * of_H.absolute[j], p.l2_h * of_H.square[j]);
  visit_rows(backend, W, true, [&](Index, HostView<float> block) {
    for (Index i = 0; i < block.rows; ++i)
      for (Index j = 0; j < block.cols; ++j)
        block(i, j) = static_cast<float>(block(i, j) * stretch[j]);
  });
  visit_rows(backend, Ht, true, [&](Index, HostView<float> block) {
    for (Index i = 0; i < block.rows; ++i)
      for (Index j = 0; j < block.cols; ++j)
        block(i, j) = static_cast<float>(block(i, j) / stretch[j]);
  });
}

}  // namespace gemmine
