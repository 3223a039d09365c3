#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "factorization/clustering.h"
#include "factorization/sizes.h"

namespace gemmine {
namespace {

constexpr ClusteringOptions on_the_sample{
    .max_iterations = 10, .tolerance = 1e-2, .phase = "sample"};

bool draws_from_all_rows(const Input& input, Index clusters) {
  const double entries =
      input.X.sparse() ? static_cast<double>(input.X.nonzeros())
                       : static_cast<double>(input.rows()) * static_cast<double>(input.cols());
  return seeds_from_all_rows(input.rows(), entries, clusters);
}

// Rows at which the running sum of `weights` passes uniform shares of their total.
std::vector<Index> draw(const std::vector<double>& weights, double total,
                        std::vector<double> shares) {
  const Index m = static_cast<Index>(weights.size());
  std::ranges::sort(shares);
  std::vector<Index> rows;
  Index s = 0;
  Index last = 0;  // last row with a weight, in case rounding leaves the sum below the total
  double sum = 0;
  for (const double share : shares) {
    if (!(total > 0) || std::isinf(total)) {
      rows.push_back(std::min(m - 1, static_cast<Index>(share * static_cast<double>(m))));
      continue;
    }
    for (; s < m && (weights[s] == 0 || sum + weights[s] <= share * total); ++s) {
      if (weights[s] > 0) last = s;
      sum += weights[s];
    }
    rows.push_back(s < m ? s : last);
  }
  return rows;
}

// Rows far from these centres are drawn in addition to the sample. Weights make both represent all
// rows: the inverse of the probability of a row, count/n + drawn·d²/Σd². Bachem, Lucic & Krause
// (2018), "Scalable k-means clustering via lightweight coresets", with distances to centres instead
// of those to the mean.
struct WeightedRows {
  std::vector<Index> rows;  // ascending
  std::vector<double> weights;
};

WeightedRows weighted_rows(const Input& input, Index clusters, std::uint64_t seed) {
  const CounterRandom random(seed, sample_rows);
  const Index drawn = far_rows_drawn(clusters);
  const RowSample sample(input, 2 * drawn, random);
  const RowSample few(input, drawn, random);
  Clustering all(input, seed_centers(few, {}, clusters, seed));
  all.assign_and_draw(drawn, CounterRandom(seed, far_rows));
  const HostMatrix<double>& centers = all.centers();

  std::map<Index, double> squared_distances;
  for (Index s = 0; s < sample.size(); ++s) {
    const std::vector<double> row = sample.dense_row(s);
    const double* center = centers.row(all.assigned().labels[sample.row(s)]);
    squared_distances[sample.row(s)] = squared_distance(row.data(), center, input.cols());
  }
  for (const FarRow& far : all.assigned().far) squared_distances[far.row] = far.squared_distance;

  const double of_sample = static_cast<double>(sample.size()) / static_cast<double>(input.rows());
  const double of_drawn = static_cast<double>(drawn) / all.assigned().inertia;
  WeightedRows taken;
  for (const auto& [row, squared] : squared_distances) {
    taken.rows.push_back(row);
    const double chance = of_sample + (squared > 0 ? of_drawn * squared : 0);
    taken.weights.push_back(1 / std::min(1.0, chance));
  }
  return taken;
}

}  // namespace

// k-means++ reads its rows often, so it uses a sample if X is large.
std::shared_ptr<const RowSample> sample_of(const Input& input, Index clusters, std::uint64_t seed) {
  return std::make_shared<const RowSample>(input, clustering_sample(clusters),
                                           CounterRandom(seed, sample_rows));
}

SampleClusters cluster_sample(std::shared_ptr<const RowSample> sample, Index clusters,
                              std::uint64_t seed) {
  Clustering clustering(sample->input(), seed_centers(*sample, {}, clusters, seed));
  clustering.run(on_the_sample);
  return {std::move(sample), std::move(clustering)};
}

HostMatrix<double> first_centers(const Input& input, Index clusters, std::uint64_t seed) {
  if (draws_from_all_rows(input, clusters)) {
    std::vector<Index> rows(input.rows());
    std::iota(rows.begin(), rows.end(), Index{0});
    return seed_centers(RowSample(input, std::move(rows)), {}, clusters, seed);
  }
  WeightedRows taken = weighted_rows(input, clusters, seed);
  const RowSample sample(input, std::move(taken.rows));
  HostMatrix<double> seeds = seed_centers(sample, taken.weights, clusters, seed);
  Clustering clustering(sample.input(), std::move(seeds), std::move(taken.weights));
  clustering.run(on_the_sample);
  return clustering.centers();
}

HostMatrix<double> seed_centers(const RowSample& sample, const std::vector<double>& weights,
                                Index clusters, std::uint64_t seed) {
  const CounterRandom random(seed, seeding);
  const Input& input = sample.input();
  const Index m = sample.size();
  constexpr Index most = Candidates::most;
  std::vector<double> nearest(m, std::numeric_limits<double>::infinity());
  HostMatrix<double> centers(clusters, input.cols());
  HostMatrix<double> points(most, input.cols());
  HostMatrix<double> distances(m, most);
  double potential = std::numeric_limits<double>::infinity();  // Σ nearest
  for (Index j = 0; j < clusters; ++j) {
    const Index count = j == 0 ? 1 : most;
    std::vector<double> shares;
    for (Index c = 0; c < count; ++c)
      shares.push_back(random.uniform(j, static_cast<std::uint32_t>(c)));
    const std::vector<Index> chosen = draw(nearest, potential, shares);
    for (Index c = 0; c < count; ++c) std::ranges::copy(sample.dense_row(chosen[c]), points.row(c));
    const HostView<double> measured = {distances.row(0), m, count, most};
    const std::vector<double> left =
        input.backend.potentials({.X = input.X,
                                  .exponent = input.pass_exponent,
                                  .points = {points.row(0), count, points.cols(), points.cols()},
                                  .weights = weights.empty() ? nullptr : weights.data(),
                                  .nearest = nearest.data()},
                                 measured, input.job);
    const auto best = std::ranges::min_element(left) - left.begin();
    potential = left[best];
    for (Index s = 0; s < m; ++s) nearest[s] = std::min(nearest[s], measured(s, best));
    std::copy_n(points.row(best), points.cols(), centers.row(j));
  }
  return centers;
}

}  // namespace gemmine
