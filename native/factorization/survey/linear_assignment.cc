#include "factorization/survey/linear_assignment.h"

#include <limits>

namespace gemmine {
namespace {

constexpr Index none = -1;

// Assigns row after row. The potentials keep every reduced cost −gain − row − column at least 0,
// and at 0 for the pairs that are assigned.
class Assigning {
 public:
  explicit Assigning(HostView<const double> gain)
      : gain_(gain),
        k_(gain.rows),
        row_potential_(k_),
        column_potential_(k_),
        row_of_(k_, none),
        distance_(k_),
        reached_from_(k_),
        settled_(k_) {}

  std::vector<Index> run() {
    for (Index i = 0; i < k_; ++i) augment(i);
    std::vector<Index> to(k_);
    for (Index j = 0; j < k_; ++j) to[row_of_[j]] = j;
    return to;
  }

 private:
  // Dijkstra's shortest path from row i to a free column, along which the assignment changes.
  void augment(Index i) {
    distance_.assign(k_, std::numeric_limits<double>::infinity());
    reached_from_.assign(k_, none);
    settled_.assign(k_, false);
    Index row = i;
    Index last = none;  // the column through which the path reaches `row`
    double length = 0;
    for (;;) {
      relax(row, last, length);
      last = nearest();
      length = distance_[last];
      settled_[last] = true;
      if (row_of_[last] == none) break;
      row = row_of_[last];
    }
    update_potentials(i, length);
    while (last != none) {
      const Index before = reached_from_[last];
      row_of_[last] = before == none ? i : row_of_[before];
      last = before;
    }
  }

  void relax(Index row, Index from, double length) {
    for (Index j = 0; j < k_; ++j) {
      if (settled_[j]) continue;
      const double cost = -gain_(row, j) - row_potential_[row] - column_potential_[j];
      if (length + cost >= distance_[j]) continue;
      distance_[j] = length + cost;
      reached_from_[j] = from;
    }
  }

  Index nearest() const {
    Index best = none;
    for (Index j = 0; j < k_; ++j)
      if (!settled_[j] && (best == none || distance_[j] < distance_[best])) best = j;
    return best;
  }

  void update_potentials(Index start, double length) {
    row_potential_[start] += length;
    for (Index j = 0; j < k_; ++j) {
      if (!settled_[j]) continue;
      const double gained = length - distance_[j];
      column_potential_[j] -= gained;
      if (row_of_[j] != none) row_potential_[row_of_[j]] += gained;
    }
  }

  const HostView<const double> gain_;
  const Index k_;
  std::vector<double> row_potential_;
  std::vector<double> column_potential_;
  std::vector<Index> row_of_;  // of each column
  std::vector<double> distance_;
  std::vector<Index> reached_from_;
  std::vector<bool> settled_;
};

}  // namespace

std::vector<Index> best_assignment(HostView<const double> gain) { return Assigning(gain).run(); }

}  // namespace gemmine
