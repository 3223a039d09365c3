#include "factorization/starts.h"

#include <algorithm>
#include <cmath>

#include "factorization/clustering.h"
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

// Added to every entry of the indicator: without it multiplicative steps could not leave the
// clustering. Ding, Li & Jordan (2010), section 2.2.
constexpr double indicator_shift = 0.2;

// S and R of W + shift, from those of the indicator W: its columns sum up to ones.
void shift_sums(PassSums& sums) {
  const Index k = sums.k;
  for (Index t = 0; t < sums.d; ++t) {
    double* row = sums.cross.data() + t * k;
    double column_sum = 0;
    for (Index j = 0; j < k; ++j) column_sum += row[j];
    for (Index j = 0; j < k; ++j) row[j] += indicator_shift * column_sum;
  }
  std::vector<double> sizes(k);
  double n = 0;
  for (Index j = 0; j < k; ++j) n += sizes[j] = sums.gram[j * k + j];
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < k; ++j)
      sums.gram[i * k + j] += indicator_shift * (sizes[i] + sizes[j] + indicator_shift * n);
}

// The H that fits the W of these sums, from the centres where it is not determined.
void fit_columns(const Input& input, Model model, const PassSums& sums,
                 const HostMatrix<float>& centers, BackendView<float> Ht) {
  Backend& backend = input.backend;
  HostMatrix<float> rounded(Ht.rows, Ht.cols);
  std::copy(sums.cross.begin(), sums.cross.end(), rounded.row(0));
  const BackendMatrix cross(backend, Ht.rows, Ht.cols);
  backend.upload(rounded.view(), cross.view());
  backend.upload(centers.view(), Ht);
  const bool semi = model == Model::semi_nmf;
  const NormalMatrix normal(sums.gram, Ht.cols, 0, semi);
  const Step step = semi ? least_squares : nonnegative_hals;
  constexpr Index sweeps = 20;
  backend.apply(step, cross.view(), normal, step_options(0, 0, sweeps), Ht, input.job);
}

}  // namespace

// The indicator of k-means, + 0.2, and the H that fits it. HALS first takes two
// sweeps towards the centres: an indicator is far from the best codes, and this read of X brings it
// halfway. (More sweeps fit better at once, but leave components that differ less: slower later.)
double start_kmeans(const Input& input, const FitOptions& options, BackendView<float> W,
                    BackendView<float> Ht) {
  Backend& backend = input.backend;
  Clustering clustering(input, W.cols, options.seed);
  clustering.run({.max_iterations = 1, .tolerance = 1e-2, .phase = "initialise"});
  const double share = input.squared_norm > 0 ? clustering.inertia() / input.squared_norm : 1;
  const HostMatrix<float> indicator = downloaded(backend, clustering.W());
  backend.upload(indicator.view(), W);
  visit_rows(backend, W, true, [](Index, HostView<float> block) {
    for (Index i = 0; i < block.rows; ++i)
      for (Index j = 0; j < block.cols; ++j) block(i, j) += static_cast<float>(indicator_shift);
  });

  PassSums sums = clustering.sums();
  if (options.solver == Solver::hals) {
    const NormalMatrix normal(backend.gram(clustering.Ht(), input.job), Ht.cols, 0, false);
    const Step step = nonnegative_hals;
    input.read(clustering.Ht(), normal, &step, step_options(0, 0, 2), W, Measure::none, sums);
  } else {
    shift_sums(sums);
  }
  fit_columns(input, options.model, sums, clustering.centers(), Ht);
  return share;
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
