#include "factorization/clustering.h"

#include <algorithm>
#include <limits>

namespace gemmine {
namespace {

constexpr double identity_noise = 2e-7;
constexpr ClusteringOptions on_the_sample{
    .max_iterations = 10, .tolerance = 1e-2, .phase = "sample"};

}  // namespace

// Seeds are drawn from, and refined on, a sample: k-means++ reads it often.
Index clustering_sample(Index clusters) { return std::max<Index>(1024, 16 * clusters); }

Clustering cluster_sample(const Input& input, Index clusters, std::uint64_t seed) {
  auto sample = std::make_shared<RowSample>(input, clustering_sample(clusters),
                                            CounterRandom(seed, sample_rows));
  Clustering clustering(sample->input(), sample, seed_centers(*sample, clusters, seed));
  clustering.run(on_the_sample);
  return clustering;
}

Clustering start_clustering(const Input& input, Index clusters, std::uint64_t seed) {
  const Clustering of_sample = cluster_sample(input, clusters, seed);
  return Clustering(input, of_sample.sample(), of_sample.centers());
}

Clustering::Clustering(const Input& input, std::shared_ptr<const RowSample> sample,
                       HostMatrix<float> centers)
    : input_(input),
      sample_(std::move(sample)),
      centers_(std::move(centers)),
      W_(input.backend, input.rows(), centers_.cols()),
      Ht_(input.backend, input.cols(), centers_.cols()),
      sums_(input.backend.make_sums(input.cols(), centers_.cols())) {}

void Clustering::run(const ClusteringOptions& options) {
  double previous = std::numeric_limits<double>::infinity();
  for (iterations_ = 0; iterations_ < options.max_iterations && !converged_; ++iterations_) {
    const HostMatrix<float> before = centers_;
    assign();
    const double now = inertia();
    move_centers();
    const auto same = [](float a, float b) { return a == b; };
    const bool still = std::equal(before.row(0), before.row(before.rows()), centers_.row(0), same);
    // A difference that drowns in the identity's noise says nothing: then only centres that stand
    // still end the search.
    const bool certain = options.tolerance * previous > identity_noise * input_.squared_norm;
    converged_ = still || (certain && previous - now < options.tolerance * previous);
    previous = now;
    input_.job.progress(options.phase, iterations_ + 1, options.max_iterations);
  }
  assign();
}

void Clustering::assign() {
  input_.backend.upload(centers_.view(), Ht());
  column_gram_ = input_.backend.gram(Ht(), input_.job);
  const NormalMatrix normal(column_gram_, centers_.cols(), 0, false);
  input_.read(Ht(), normal, step_of(StepKind::nearest, 0, 0, 1), W(), Measure::none, *sums_);
}

double Clustering::inertia() const {
  return std::max(0.0, identity_error(input_, *sums_, Ht(), column_gram_));
}

void Clustering::move_centers() {
  const Index k = centers_.cols();
  const std::vector<double> cross = input_.backend.cross(*sums_);
  bool empty = false;
  for (Index j = 0; j < k; ++j) {
    const double rows = sums_->gram[j * k + j];
    empty = empty || rows == 0;
    for (Index t = 0; rows > 0 && t < centers_.rows(); ++t)
      centers_(t, j) = static_cast<float>(cross[t * k + j] / rows);
  }
  if (empty) fill_empty();
}

// An empty cluster takes the row of the sample that is farthest from its centre, if any is apart.
void Clustering::fill_empty() {
  const Index k = centers_.cols();
  std::vector<double> distance(sample_->size(), std::numeric_limits<double>::infinity());
  const auto serve = [&](const HostMatrix<float>& centers, Index first, Index count) {
    const HostMatrix<float> cross = sample_->times(centers);
    for (Index c = 0; c < count; ++c) {
      double norm = 0;
      for (Index t = 0; t < centers.rows(); ++t) norm += double{centers(t, c)} * centers(t, c);
      if (count > 1 && sums_->gram[(first + c) * (k + 1)] == 0) continue;
      for (Index s = 0; s < sample_->size(); ++s)
        distance[s] = std::min(distance[s], sample_->squared_norm(s) - 2.0 * cross(s, c) + norm);
    }
  };
  serve(centers_, 0, k);
  for (Index j = 0; j < k; ++j) {
    if (sums_->gram[j * k + j] > 0) continue;
    const auto worst = std::max_element(distance.begin(), distance.end()) - distance.begin();
    if (!(distance[worst] > 1e-6 * sample_->squared_norm(worst))) return;
    const std::vector<double> row = sample_->dense_row(worst);
    HostMatrix<float> center(centers_.rows(), 1);
    for (Index t = 0; t < centers_.rows(); ++t)
      centers_(t, j) = center(t, 0) = static_cast<float>(row[t]);
    serve(center, j, 1);
  }
}

}  // namespace gemmine
