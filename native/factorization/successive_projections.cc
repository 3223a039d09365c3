#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "factorization/chosen_rows.h"

namespace gemmine {
namespace {

// Rows that are kept on the host at most, beyond 4 for each component, and their entries at most.
constexpr Index least_kept = 64;
constexpr Index most_kept_entries = Index{1} << 19;

// A share of a squared length that is rounding of float32 entries.
constexpr double rounding = 0x1p-38;

// A row near the ends of X: of those that may be chosen next.
struct Kept {
  Index row;
  double rest;  // squared distance from the span of the chosen rows
  std::vector<double> entries;
};

class Projections {
 public:
  Projections(const Input& input, Index k, bool normalised)
      : input_(input),
        k_(k),
        d_(input.cols()),
        rests_(input.backend.squared_products(input.X, input.pass_exponent, {nullptr, d_, 0, 0},
                                              input.job)) {
    if (normalised) divide_by_sums();
    threshold_ = rounding * *std::max_element(rests_.begin(), rests_.end());
  }

  std::vector<Index> choose() {
    keep_longest();
    while (true) {
      const Kept& best = *std::min_element(kept_.begin(), kept_.end(), is_before);
      // Distances only shrink: the rows that are not kept are no farther than they were.
      if (!fresh_ && !(best.rest > bound_)) {
        project_all();
        keep_longest();
        continue;
      }
      if (!(best.rest > threshold_)) refuse();
      chosen_.push_back(best.row);
      if (static_cast<Index>(chosen_.size()) == k_) return chosen_;
      fresh_ = false;
      project_kept(direction_of(best));
      input_.job.progress("choose rows", static_cast<Index>(chosen_.size()), k_);
    }
  }

 private:
  static bool is_before(const Kept& a, const Kept& b) {
    return a.rest > b.rest || (a.rest == b.rest && a.row < b.row);
  }

  HostView<const double> as_columns(const std::vector<double>& values, Index columns) const {
    return {values.data(), d_, columns, columns};
  }

  void divide_by_sums() {
    const std::vector<double> ones(static_cast<std::size_t>(d_), 1.0);
    scales_ = input_.backend.squared_products(input_.X, input_.pass_exponent, as_columns(ones, 1),
                                              input_.job);
    for (std::size_t i = 0; i < rests_.size(); ++i) {
      scales_[i] = scales_[i] > 0 ? 1 / scales_[i] : 0;
      rests_[i] *= scales_[i];
    }
  }

  double squared_scale(Index row) const { return scales_.empty() ? 1 : scales_[row]; }

  // Copies the rows with the longest rests, and notes the longest of the others.
  void keep_longest() {
    const Index n = input_.rows();
    const Index count =
        std::min(n, std::clamp(most_kept_entries / d_, Index{1}, std::max(least_kept, 4 * k_)));
    std::vector<Index> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), Index{0});
    const auto before = [&](Index a, Index b) {
      return rests_[a] > rests_[b] || (rests_[a] == rests_[b] && a < b);
    };
    const auto end = order.begin() + count;
    std::nth_element(order.begin(), end - 1, order.end(), before);
    bound_ = -std::numeric_limits<double>::infinity();
    for (auto other = end; other != order.end(); ++other) bound_ = std::max(bound_, rests_[*other]);
    order.erase(end, order.end());
    std::sort(order.begin(), order.end());
    const RowCopies copies = input_.backend.read_rows(input_.X, order, input_.job);
    kept_.clear();
    for (Index i = 0; i < count; ++i) {
      Kept& kept = kept_.emplace_back(order[i], rests_[order[i]], std::vector<double>(d_));
      copies.take(i, input_.scale() * std::sqrt(squared_scale(kept.row)), kept.entries);
    }
    fresh_ = true;
    pending_.clear();
  }

  // The unit vector of what the row has outside the span of those before it, orthogonalised twice.
  const std::vector<double>& direction_of(const Kept& row) {
    std::vector<double> q = row.entries;
    for (int time = 0; time < 2; ++time)
      for (const std::vector<double>& other : directions_) {
        const double share = std::inner_product(q.begin(), q.end(), other.begin(), 0.0);
        for (Index t = 0; t < d_; ++t) q[t] -= share * other[t];
      }
    const double length = std::sqrt(std::inner_product(q.begin(), q.end(), q.begin(), 0.0));
    for (double& value : q) value /= length;
    pending_.push_back(static_cast<Index>(directions_.size()));
    return directions_.emplace_back(std::move(q));
  }

  void project_kept(const std::vector<double>& q) {
    for (Kept& kept : kept_) {
      const double share =
          std::inner_product(kept.entries.begin(), kept.entries.end(), q.begin(), 0.0);
      kept.rest = std::max(0.0, kept.rest - share * share);
    }
  }

  // The one read of X for all directions since the last one.
  void project_all() {
    const auto columns = static_cast<Index>(pending_.size());
    std::vector<double> B(static_cast<std::size_t>(d_ * columns));
    for (Index j = 0; j < columns; ++j)
      for (Index t = 0; t < d_; ++t) B[t * columns + j] = directions_[pending_[j]][t];
    const std::vector<double> shares = input_.backend.squared_products(
        input_.X, input_.pass_exponent, as_columns(B, columns), input_.job);
    for (std::size_t i = 0; i < rests_.size(); ++i)
      rests_[i] = std::max(0.0, rests_[i] - squared_scale(static_cast<Index>(i)) * shares[i]);
  }

  [[noreturn]] void refuse() const {
    if (chosen_.empty())
      throw InvalidEntry(input_.X.argument, 0, 0, 0, "an entry other than 0 in some row");
    const auto found = std::to_string(chosen_.size());
    throw InvalidElement("rank", static_cast<double>(k_),
                         "an integer of at most " + found +
                             ", the number of rows of X that are "
                             "linearly independent in float32");
  }

  const Input& input_;
  const Index k_;
  const Index d_;
  std::vector<double> rests_;   // squared distances from the span of directions_ but pending_ [n]
  std::vector<double> scales_;  // squared factors of the rows [n]; empty: all 1
  double threshold_ = 0;
  double bound_ = 0;  // no row that is not kept has a longer rest
  bool fresh_ = true;
  std::vector<Kept> kept_;
  std::vector<std::vector<double>> directions_;  // orthonormal
  std::vector<Index> pending_;                   // not yet projected out of all rows
  std::vector<Index> chosen_;
};

}  // namespace

std::vector<Index> successive_projections(const Input& input, Index k, bool normalised) {
  return Projections(input, k, normalised).choose();
}

}  // namespace gemmine
