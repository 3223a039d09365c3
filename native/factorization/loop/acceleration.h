#pragma once

#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/loop/state.h"
#include "factorization/model.h"

namespace gemmine {

// Ang & Gillis (2019), "Accelerating nonnegative matrix factorization algorithms using
// extrapolation", Neural Computation 31(2): each factor is moved past its new value by a share β of
// its last change. The share grows while the objective falls; if it rises, the iteration is undone
// and the share shrinks. Hien, Leplat & Gillis (2024), "Block majorization minimization with
// extrapolation and application to β-NMF", arXiv 2401.06646: before multiplicative steps only
// entries that grow are moved, because such a step cannot leave a zero.
class Acceleration {
 public:
  Acceleration(const Input& input, LoopState& state, const ModelRule& rule,
               const Penalties& penalties, BackendView<const float> W, BackendView<const float> Ht);

  // The extrapolation of each factor, which a pass applies after its step.
  Extrapolated of_rows();
  Extrapolated of_columns();
  // Extrapolates Ht before a pass. Returns the extrapolation of W.
  Extrapolated move_columns(BackendView<float> Ht);
  void accept();
  // Takes the restored pair of the iteration before.
  void reject(BackendView<const float> W, BackendView<const float> Ht);
  // Takes the state of a resumed run.
  void resume(const HostMatrix<float>& previous_W, const HostMatrix<float>& previous_Ht);
  // Takes a pair that was changed by something other than the steps of the loop.
  void forget(BackendView<const float> W, BackendView<const float> Ht);

  BackendView<const float> previous_W() const { return previous_W_.view(); }
  BackendView<const float> previous_Ht() const { return previous_Ht_.view(); }

 private:
  const Input& input_;
  LoopState& state_;
  const Penalties& penalties_;  // for their bounds
  const Extrapolation row_kind_;
  const Extrapolation column_kind_;
  BackendMatrix previous_W_;  // after the last step, before extrapolation
  BackendMatrix previous_Ht_;
};

}  // namespace gemmine
