#pragma once

#include <vector>

#include "core/job.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// Non-negative least squares by an active set, in float64: Lawson & Hanson (1974), "Solving Least
// Squares Problems", chapter 23, from any start, with the Cholesky factor of the passive set
// updated in place. One problem after the other, on one thread.
class ActiveSet {
 public:
  // normal [k×k]: symmetric, without negative eigenvalues, each diagonal 1, or 0 in a row of zeros.
  ActiveSet(const std::vector<double>& normal, Index k);

  // The v >= 0 that minimises v·N v − 2 b·v; takes a feasible v [k] to start from.
  void solve(const std::vector<double>& b, std::vector<double>& v, const Cancellation& stop);

  // Forgets the last problem, whose factor the next one may use again.
  void clear();

  // (N_PP)⁻¹ b_P of the last solution's positive components P, 0 elsewhere.
  void solve_positive(const std::vector<double>& b, std::vector<double>& v) const;

  // About the smallest eigenvalue of N, never much above; 0 where components depend on each other.
  double smallest_eigenvalue(const Cancellation& stop);

 private:
  Index size() const { return static_cast<Index>(passive_.size()); }
  double* row(Index i) { return factor_.data() + i * k_; }
  const double* row(Index i) const { return factor_.data() + i * k_; }
  bool add(Index j);
  void remove(Index at);
  void restart(std::vector<double>& v, const Cancellation& stop);
  void walk_to_minimum(const std::vector<double>& b, std::vector<double>& v);
  Index steepest(const std::vector<double>& b, const std::vector<double>& v);
  void solve_passive(std::vector<double>& x) const;

  const std::vector<double>& normal_;
  Index k_;
  std::vector<double> factor_;  // rows of L, N_PP = L Lᵀ, in the order of passive_
  std::vector<Index> passive_;
  std::vector<bool> is_passive_;
  std::vector<bool> barred_;  // until the next step that moves v
  std::vector<double> minimum_;
  std::vector<double> slope_;
};

}  // namespace gemmine::cpu
