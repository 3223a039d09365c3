#include "factorization/survey/stability.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/pool.h"
#include "factorization/survey/linear_assignment.h"

namespace gemmine {
namespace {

// The alignment ends when no factorization changes; each round raises Σ cos(member, centroid), so
// it ends by itself, and the limit guards against ties in rounding.
constexpr int most_rounds = 100;

// Distances below this are rounding: components are float32.
constexpr double coincident = 1e-13;

double dot(const double* a, const double* b, Index count) {
  return std::inner_product(a, a + count, b, 0.0);
}

void normalise(double* row, Index count) {
  const double length = std::sqrt(dot(row, row, count));
  for (Index t = 0; length > 0 && t < count; ++t) row[t] /= length;
}

class Aligning {
 public:
  Aligning(HostView<const float> components, Index count, Index first, const Job& job)
      : job_(job),
        count_(count),
        k_(components.rows / count),
        d_(components.cols),
        first_(first),
        unit_(components.rows, components.cols),
        members_(static_cast<std::size_t>(count)),
        sums_(k_, d_) {
    for (Index i = 0; i < components.rows; ++i) {
      std::copy_n(components.row(i), d_, unit_.row(i));
      normalise(unit_.row(i), d_);
    }
  }

  Stability run() {
    HostMatrix<double> centroids(k_, d_);
    for (Index c = 0; c < k_; ++c) std::copy_n(row_of(first_, c), d_, centroids.row(c));
    for (int round = 0; round < most_rounds && align(centroids); ++round) {
      sum_up();
      centroids = sums_;
      for (Index c = 0; c < k_; ++c) normalise(centroids.row(c), d_);
    }
    return {members_, silhouettes(), std::move(centroids)};
  }

 private:
  const double* row_of(Index factorization, Index component) const {
    return unit_.row(factorization * k_ + component);
  }
  const double* member(Index factorization, Index cluster) const {
    return row_of(factorization, members_[factorization][cluster]);
  }

  // Returns whether a member changed.
  bool align(const HostMatrix<double>& centroids) {
    std::vector<std::uint8_t> changed(members_.size());
    parallel_for(job_, count_, [&](Index f, Index) {
      HostMatrix<double> cosines(k_, k_);
      for (Index c = 0; c < k_; ++c)
        for (Index j = 0; j < k_; ++j) cosines(c, j) = dot(centroids.row(c), row_of(f, j), d_);
      std::vector<Index> members = best_assignment(cosines.view());
      changed[f] = members != members_[f];
      members_[f] = std::move(members);
    });
    return std::ranges::any_of(changed, [](std::uint8_t each) { return each != 0; });
  }

  void sum_up() {
    for (Index c = 0; c < k_; ++c) {
      std::fill_n(sums_.row(c), d_, 0.0);
      for (Index f = 0; f < count_; ++f)
        for (Index t = 0; t < d_; ++t) sums_(c, t) += member(f, c)[t];
    }
  }

  std::vector<double> silhouettes() const {
    std::vector<double> values(static_cast<std::size_t>(k_));
    parallel_for(job_, k_, [&](Index c, Index) {
      double sum = 0;
      for (Index f = 0; f < count_; ++f) sum += silhouette(f, c);
      values[c] = sum / static_cast<double>(count_);
    });
    return values;
  }

  // The mean distance 1 − cos to the others of its cluster and to the nearest other cluster follow
  // from the sums of the clusters, because the cosine of unit vectors is linear. A single cluster
  // is compared with an orthogonal one.
  double silhouette(Index f, Index cluster) const {
    const double* own = member(f, cluster);
    const auto others = static_cast<double>(count_ - 1);
    const double itself = dot(own, own, d_);
    const double inside = std::max(0.0, 1 - (dot(own, sums_.row(cluster), d_) - itself) / others);
    double outside = k_ == 1 ? 1 : 2;
    for (Index c = 0; c < k_; ++c)
      if (c != cluster)
        outside = std::min(outside, 1 - dot(own, sums_.row(c), d_) / static_cast<double>(count_));
    const double larger = std::max(inside, outside);
    return larger <= coincident ? 0 : (outside - inside) / larger;
  }

  const Job& job_;
  const Index count_;
  const Index k_;
  const Index d_;
  const Index first_;
  HostMatrix<double> unit_;  // components, of length 1 or 0
  std::vector<std::vector<Index>> members_;
  HostMatrix<double> sums_;  // of the members of each cluster [k×d]
};

}  // namespace

Stability stability_of(HostView<const float> components, Index count, Index first, const Job& job) {
  return Aligning(components, count, first, job).run();
}

}  // namespace gemmine
