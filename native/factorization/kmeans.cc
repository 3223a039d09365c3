#include <algorithm>
#include <cmath>

#include "factorization/clustering.h"

namespace gemmine {

KmeansResult kmeans(Passes& backend, const RowSource& X, const KmeansOptions& options,
                    std::int32_t* labels, HostView<float> centers, const Job& job) {
  const ScaledInput scaled(backend, {.X = X, .sign = EntrySign::any}, job);
  const Input& input = *scaled;
  Clustering clustering = start_clustering(input, options.clusters, options.seed);
  clustering.run({.max_iterations = options.max_iterations,
                  .tolerance = options.tolerance,
                  .phase = "iterate"});

  visit_rows(backend, clustering.W(), false, [&](Index begin, HostView<float> block) {
    for (Index i = 0; i < block.rows; ++i)
      labels[begin + i] = static_cast<std::int32_t>(
          std::max_element(block.row(i), block.row(i) + block.cols) - block.row(i));
  });
  for (Index j = 0; j < centers.rows; ++j)
    for (Index t = 0; t < centers.cols; ++t)
      centers(j, t) = std::ldexp(clustering.centers()(t, j), scaled.exponent());
  const double inertia = input.squared_error(clustering.W(), clustering.Ht());
  return {.inertia = std::ldexp(inertia, 2 * scaled.exponent()),
          .iterations = clustering.iterations(),
          .converged = clustering.converged()};
}

}  // namespace gemmine
