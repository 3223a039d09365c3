#pragma once

#include <optional>
#include <vector>

#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/loop/state.h"

namespace gemmine {

// The pair before an iteration. In float32 an iteration can be a step back: where components cancel
// each other, or where a penalty drives factors out of its range. Such runs are guarded: they
// measure each iteration at once and keep the better pair.
class KeptPair {
 public:
  void keep(Passes& device, BackendView<const float> W, BackendView<const float> Ht);
  void restore(Passes& device, BackendView<float> W, BackendView<float> Ht) const;
  // The same of a pair in host memory.
  void keep(Passes& device, const HostMatrix<float>& W, const HostMatrix<float>& Ht);
  BackendView<const float> W() const { return W_->view(); }
  BackendView<const float> Ht() const { return Ht_->view(); }
  bool holds() const { return W_.has_value(); }

 private:
  std::optional<BackendMatrix> W_;
  std::optional<BackendMatrix> Ht_;
};

namespace safeguard {

// Of a model that is not monotone: whether the pair after the last iteration is the best so far.
// Notes which is, and the last iteration that fell below the one before by more than the tolerance.
bool is_best(LoopState& state, double tolerance);

// Whether a pair leaves so little of X that the float32 noise of S and R can make any step a step
// back: then pairs are measured directly, each at once.
bool near_rounding(double squared_error, double squared_norm);

// Whether this objective is above the last one by more than rounding.
bool rises(const LoopState& state, double objective, double squared_norm);

// λ [k]: a step that solves minimises the objective + Σ_j λ_j ‖h_j − old h_j‖², which lowers the
// objective too. Directions that R hardly sees would otherwise follow the noise of S, and grow
// until float32 cannot tell W Htᵀ any more: with codes that depend on each other, as spare
// components have. Zeros for a step that does not solve.
std::vector<double> proximal_pull(const LoopState& state, const std::vector<double>& row_gram,
                                  Index k, bool solves);
std::vector<double> with_diagonal(std::vector<double> gram, const std::vector<double>& addition);
// Whether a component is told apart from those before it by little more than the pull.
bool nearly_dependent(const NormalMatrix& normal, const std::vector<double>& pull);

// Shares of the identity, to tell its noise: Σ |R ⊙ HtᵀHt| and Σ ‖W_j H_j‖².
struct Cancellations {
  double absolute;
  double energy;
};
Cancellations cancellations(const std::vector<double>& row_gram,
                            const std::vector<double>& column_gram, Index k);

// Factors [k] of the columns of Ht: 0 for a component of free sign that is not needed and holds the
// noise of its equations, by which a sweep would divide; 1 for the others. Empty when all are 1.
std::vector<double> noise_columns(const std::vector<double>& row_gram,
                                  const std::vector<double>& column_gram, Index k,
                                  double squared_norm);

}  // namespace safeguard
}  // namespace gemmine
