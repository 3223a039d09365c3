#include <algorithm>
#include <cmath>
#include <limits>

#include "factorization/clustering.h"

namespace gemmine {
namespace {

// The row at which the running sum of `weights` passes `at`, a share of their total.
Index draw(const std::vector<double>& weights, double total, double share) {
  const Index m = static_cast<Index>(weights.size());
  if (!(total > 0)) return std::min(m - 1, static_cast<Index>(share * static_cast<double>(m)));
  double left = share * total;
  Index last = 0;
  for (Index s = 0; s < m; ++s) {
    if (weights[s] == 0) continue;
    last = s;
    left -= weights[s];
    if (left < 0) break;
  }
  return last;
}

HostMatrix<float> rows_as_columns(const RowSample& sample, const std::vector<Index>& chosen) {
  HostMatrix<float> columns(sample.input().cols(), static_cast<Index>(chosen.size()));
  for (Index c = 0; c < columns.cols(); ++c) {
    const std::vector<double> row = sample.dense_row(chosen[c]);
    for (Index t = 0; t < columns.rows(); ++t) columns(t, c) = static_cast<float>(row[t]);
  }
  return columns;
}

// Squared distances of all rows to the rows in `columns`, those below float32's noise as 0.
HostMatrix<float> squared_distances(const RowSample& sample, const std::vector<Index>& chosen,
                                    const HostMatrix<float>& columns) {
  HostMatrix<float> distances = sample.times(columns);
  for (Index s = 0; s < sample.size(); ++s)
    for (Index c = 0; c < columns.cols(); ++c) {
      const double norms = sample.squared_norm(s) + sample.squared_norm(chosen[c]);
      const double distance = norms - 2.0 * distances(s, c);
      distances(s, c) = distance > 1e-6 * norms ? static_cast<float>(distance) : 0;
    }
  return distances;
}

// Draws for several centres share one product with the sample, since narrow products are slow: few
// at first, when each centre changes the chances most. They do not know of each other, so that
// twice as many are made, and each centre is the best of them all.
constexpr Index centers_at_once = 8;
constexpr Index elements_at_once = Index{1} << 22;  // of the drawn rows, as dense columns

// The candidate that leaves the lowest potential.
Index best_candidate(const HostMatrix<float>& distances, const std::vector<double>& nearest,
                     double& potential) {
  std::vector<double> sums(distances.cols());
  for (Index s = 0; s < distances.rows(); ++s)
    for (Index c = 0; c < distances.cols(); ++c)
      sums[c] += std::min(nearest[s], double{distances(s, c)});
  const auto lowest = std::min_element(sums.begin(), sums.end());
  potential = *lowest;
  return lowest - sums.begin();
}

}  // namespace

HostMatrix<float> seed_centers(const RowSample& sample, Index clusters, std::uint64_t seed) {
  const CounterRandom random(seed, seeding);
  const Index m = sample.size();
  const auto candidates = static_cast<Index>(2 + std::log(static_cast<double>(clusters)));
  std::vector<double> nearest(m, std::numeric_limits<double>::infinity());
  HostMatrix<float> centers(sample.input().cols(), clusters);
  double potential = 0;  // Σ nearest; at first all rows have the same chance
  const Index most_at_once =
      std::clamp<Index>(elements_at_once / (centers.rows() * 2 * candidates), 1, centers_at_once);
  Index count = 1;
  for (Index first = 0; first < clusters; first += count) {
    count = std::min({std::max<Index>(1, first), most_at_once, clusters - first});
    const Index of_each = first == 0 ? 1 : count == 1 ? candidates : 2 * candidates;
    std::vector<Index> chosen;
    for (Index c = 0; c < count * of_each; ++c)
      chosen.push_back(
          draw(nearest, potential, random.uniform(first, static_cast<std::uint32_t>(c))));
    const HostMatrix<float> columns = rows_as_columns(sample, chosen);
    const HostMatrix<float> distances = squared_distances(sample, chosen, columns);
    for (Index j = 0; j < count; ++j) {
      const Index best = best_candidate(distances, nearest, potential);
      for (Index s = 0; s < m; ++s) nearest[s] = std::min(nearest[s], double{distances(s, best)});
      for (Index t = 0; t < centers.rows(); ++t) centers(t, first + j) = columns(t, best);
    }
  }
  return centers;
}

}  // namespace gemmine
