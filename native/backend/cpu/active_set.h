#pragma once

#include <vector>

#include "core/job.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// Non-negative least squares by an active set, in float64: Lawson & Hanson (1974), "Solving Least
// Squares Problems", chapter 23, from any start, with the Cholesky factor of the passive set
// updated in place; with upper bounds, Stark & Parker (1995), "Bounded-variable least-squares",
// Computational Statistics 10. Solves one problem after another on one thread.
class ActiveSet {
 public:
  // normal [k×k]: symmetric, positive semidefinite, each diagonal element 1, or 0 in a row of
  // zeros. upper [k]: bounds; unbounded for none. A pivot below the share smallest_pivot of its
  // diagonal is rounding error of earlier products.
  ActiveSet(const std::vector<double>& normal, std::vector<double> upper, double smallest_pivot);

  // Sets v to the minimiser of v·N v − 2 b·v over 0 <= v <= upper, starting from the given feasible
  // v [k].
  void solve(const std::vector<double>& b, std::vector<double>& v, const Cancellation& stop);

  // Drops the factor of the last problem, which the next problem would reuse.
  void clear();

  // (N_PP)⁻¹ b_P of the last solution's components P between their bounds, 0 elsewhere.
  void solve_for_passive(const std::vector<double>& b, std::vector<double>& v) const;

  // An estimate of the smallest eigenvalue of N, never much above it; 0 if components are
  // dependent.
  double smallest_eigenvalue(const Cancellation& stop);

 private:
  Index size() const { return static_cast<Index>(passive_.size()); }
  double* row(Index i) { return factor_.data() + i * k_; }
  const double* row(Index i) const { return factor_.data() + i * k_; }
  bool is_inside(const std::vector<double>& v, Index j) const {
    return v[j] > 0 && v[j] < upper_[j];
  }
  bool add(Index j);
  void remove(Index at);
  void restart(std::vector<double>& v, const Cancellation& stop);
  void walk_to_minimum(const std::vector<double>& b, std::vector<double>& v);
  void find_minimum(const std::vector<double>& b, const std::vector<double>& v);
  void stop_at_bounds(std::vector<double>& v, Index first);
  Index steepest(const std::vector<double>& b, const std::vector<double>& v);
  void solve_passive(std::vector<double>& x) const;

  const std::vector<double>& normal_;
  const std::vector<double> upper_;
  Index k_;
  double smallest_pivot_;
  std::vector<double> factor_;  // rows of L, N_PP = L Lᵀ, in the order of passive_
  std::vector<Index> passive_;
  std::vector<bool> is_passive_;
  std::vector<bool> barred_;  // excluded from entering until a step moves v
  std::vector<double> minimum_;
  std::vector<double> slope_;
};

}  // namespace gemmine::cpu
