#pragma once

#include "factorization/row_sample.h"

namespace gemmine {

struct ClusteringOptions {
  Index max_iterations;
  double tolerance;
  const char* phase;  // of the progress reports
};

// k-means of the rows of the scaled X, as the factorization X ≈ W Htᵀ with W [n×k] an indicator.
class Clustering {
 public:
  // From these centres; a cluster that stays empty takes a row of `sample`, which was drawn from
  // the input, or is all of it.
  Clustering(const Input& input, std::shared_ptr<const RowSample> sample,
             HostMatrix<float> centers);

  // Lloyd (1982): each iteration reads X once. Afterwards W holds each row's nearest centre in Ht.
  void run(const ClusteringOptions& options);

  const Input& input() const { return input_; }
  const std::shared_ptr<const RowSample>& sample() const { return sample_; }
  BackendView<float> W() const { return W_.view(); }
  BackendView<float> Ht() const { return Ht_.view(); }
  const HostMatrix<float>& centers() const { return centers_; }  // [d×k]
  const Sums& sums() const { return *sums_; }                    // XᵀW and WᵀW of that W
  double inertia() const;  // by the identity, see Measure::identity
  Index iterations() const { return iterations_; }
  bool converged() const { return converged_; }

 private:
  void assign();
  void move_centers();
  void fill_empty();

  const Input& input_;
  std::shared_ptr<const RowSample> sample_;
  HostMatrix<float> centers_;
  BackendMatrix W_;
  BackendMatrix Ht_;
  std::vector<double> column_gram_;  // HtᵀHt [k×k]
  std::unique_ptr<Sums> sums_;
  Index iterations_ = 0;
  bool converged_ = false;
};

// How many rows the sample of a clustering has, where X has as many.
Index clustering_sample(Index clusters);

// The clusters of that sample, as a clustering of its rows.
Clustering cluster_sample(const Input& input, Index clusters, std::uint64_t seed);
// A clustering of all rows that has not run yet, from those clusters.
Clustering start_clustering(const Input& input, Index clusters, std::uint64_t seed);

// Rows of the sample as first centres [d×clusters], each drawn with a chance in proportion to its
// squared distance to those before it, the best of several draws: Arthur & Vassilvitskii (2007),
// "k-means++: the advantages of careful seeding", with the greedy choice of their section 5.
HostMatrix<float> seed_centers(const RowSample& sample, Index clusters, std::uint64_t seed);

}  // namespace gemmine
