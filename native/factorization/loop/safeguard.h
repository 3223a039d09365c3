#pragma once

#include <optional>
#include <vector>

#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/loop/state.h"

namespace gemmine {

// The pair before an iteration. In float32 an iteration can raise the objective, if components
// cancel each other or a penalty drives factors out of range. Such runs are guarded: they measure
// each iteration at once and keep the better pair.
class KeptPair {
 public:
  void keep(Passes& device, BackendView<const float> W, BackendView<const float> Ht);
  void restore(Passes& device, BackendView<float> W, BackendView<float> Ht) const;
  // The same for a pair in host memory.
  void keep(Passes& device, const HostMatrix<float>& W, const HostMatrix<float>& Ht);
  BackendView<const float> W() const { return W_->view(); }
  BackendView<const float> Ht() const { return Ht_->view(); }
  bool holds() const { return W_.has_value(); }

 private:
  std::optional<BackendMatrix> W_;
  std::optional<BackendMatrix> Ht_;
};

namespace safeguard {

// For a model that is not monotone: returns whether the pair after the last iteration is the best
// so far. Records the best iteration, and the last one that lowered the objective by more than the
// tolerance.
bool is_best(LoopState& state, double tolerance);

// Returns whether the error is so small that the float32 errors of S and R can make any step raise
// the objective: then each pair is measured directly and at once.
bool near_rounding(double squared_error, double squared_norm);

// Returns whether this objective is above the last one by more than rounding.
bool rises(const LoopState& state, double objective, double squared_norm);

// λ [k]: a step of kind solve minimises the objective + Σ_j λ_j ‖h_j − old h_j‖², which also lowers
// the objective. Otherwise directions in which R is nearly 0 would follow the errors of S and grow
// until float32 cannot represent W Htᵀ; they occur if codes are nearly dependent, as those of spare
// components. Zeros for other kinds.
std::vector<double> proximal_pull(const LoopState& state, const std::vector<double>& row_gram,
                                  Index k, bool solves);
std::vector<double> with_diagonal(std::vector<double> gram, const std::vector<double>& addition);
// Returns whether a component differs from those before it by little more than the pull.
bool nearly_dependent(const NormalMatrix& normal, const std::vector<double>& pull);

// Magnitudes of the terms of the identity, from which its error follows: Σ |R ⊙ HtᵀHt| and Σ ‖W_j
// H_j‖².
struct Cancellations {
  double absolute;
  double energy;
};
Cancellations cancellations(const std::vector<double>& row_gram,
                            const std::vector<double>& column_gram, Index k);

// Factors [k] of the columns of Ht: 0 for a component of any sign that is not needed and consists
// of rounding errors, by which a sweep would divide; 1 for the others. Empty if all are 1.
std::vector<double> noise_columns(const std::vector<double>& row_gram,
                                  const std::vector<double>& column_gram, Index k,
                                  double squared_norm);

}  // namespace safeguard
}  // namespace gemmine
