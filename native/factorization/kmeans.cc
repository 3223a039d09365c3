#include <algorithm>
#include <cmath>

#include "factorization/clustering.h"

namespace gemmine {

KmeansResult kmeans(Passes& backend, const RowSource& X, const KmeansOptions& options,
                    std::int32_t* labels, HostView<float> centers, const Job& job) {
  const ScaledInput scaled(backend, {.X = X, .sign = EntrySign::any}, job);
  const Input& input = *scaled;
  job.progress("initialise", 0, 1);
  Clustering clustering(input, first_centers(input, options.clusters, options.seed));
  clustering.run({.max_iterations = options.max_iterations,
                  .tolerance = options.tolerance,
                  .phase = "iterate"});
  clustering.round_centers(scaled.exponent());
  clustering.assign();

  std::ranges::copy(clustering.assigned().labels, labels);
  for (Index j = 0; j < centers.rows; ++j)
    for (Index t = 0; t < centers.cols; ++t)
      centers(j, t) = static_cast<float>(std::ldexp(clustering.centers()(j, t), scaled.exponent()));
  return {.inertia = std::ldexp(clustering.assigned().inertia, 2 * scaled.exponent()),
          .iterations = clustering.iterations(),
          .converged = clustering.converged(),
          .empty_clusters = std::ranges::count(clustering.assigned().masses, 0.0)};
}

}  // namespace gemmine
