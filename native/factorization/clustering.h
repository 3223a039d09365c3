#pragma once

#include "factorization/row_sample.h"

namespace gemmine {

struct ClusteringOptions {
  Index max_iterations;
  double tolerance;
  const char* phase;  // name in progress reports
};

// k-means of the rows of the scaled X. Labels, centres and sums are float64 or integers on the
// host; distances to all centres are float32 only where this cannot change a label.
class Clustering {
 public:
  // Starts from these centres [k×d], with a positive weight per row, or weights of 1 if empty.
  Clustering(const Input& input, HostMatrix<double> centers, std::vector<double> weights = {});

  // Lloyd (1982): each iteration reads X once, to assign rows, and moves the centres.
  void run(const ClusteringOptions& options);
  // Assigns each row to its nearest centre. The accessors below return the state after the last
  // such read.
  void assign() { assign(most_empty, nullptr); }
  // The same, with `count` rows drawn in proportion to their squared distances.
  void assign_and_draw(Index count, const CounterRandom& random) { assign(count, &random); }
  // Rounds centre·2^exponent to float32, for all centres.
  void round_centers(int exponent);

  const Input& input() const { return input_; }
  const HostMatrix<double>& centers() const { return centers_; }
  const Assigned& assigned() const { return assigned_; }
  HostMatrix<float> Ht() const;  // the centres [d×k]
  Index iterations() const { return iterations_; }
  bool converged() const { return converged_; }

 private:
  static constexpr Index most_empty = 64;  // maximum of empty clusters that one iteration fills

  void assign(Index far_rows, const CounterRandom* draw);
  void move_centers();
  bool fill_empty();

  const Input& input_;
  HostMatrix<double> centers_;
  std::vector<double> weights_;
  std::vector<double> origin_;
  Assigned assigned_;
  Index iterations_ = 0;
  bool converged_ = false;
};

// A point near most rows [d]. Distances are computed relative to it, because ‖x − c‖² cancels far
// from the origin.
std::vector<double> middle_of(const Input& input);

// Squared distance of two rows [d].
double squared_distance(const double* a, const double* b, Index d);

// The first centres [k×d] of a clustering of all rows: drawn from all rows if that is fast,
// otherwise the centres of a weighted sample, in which rows far from the centres of a first sample
// are more likely.
HostMatrix<double> first_centers(const Input& input, Index clusters, std::uint64_t seed);

// The clusters of a uniform sample, after a few iterations.
struct SampleClusters {
  std::shared_ptr<const RowSample> sample;
  Clustering clustering;
};
SampleClusters cluster_sample(std::shared_ptr<const RowSample> sample, Index clusters,
                              std::uint64_t seed);
// Rows for it, all of a small X.
std::shared_ptr<const RowSample> sample_of(const Input& input, Index clusters, std::uint64_t seed);

// Rows of the sample as first centres [clusters×d], each drawn with probability proportional to its
// weighted squared distance to the earlier centres, the best of several draws: Arthur &
// Vassilvitskii (2007), "k-means++: the advantages of careful seeding", with the greedy choice of
// their section
// 5. `weights`: one per row, or empty.
HostMatrix<double> seed_centers(const RowSample& sample, const std::vector<double>& weights,
                                Index clusters, std::uint64_t seed);

}  // namespace gemmine
