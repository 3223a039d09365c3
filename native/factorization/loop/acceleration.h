#pragma once

#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/loop/state.h"

namespace gemmine {

// Ang & Gillis (2019), "Accelerating nonnegative matrix factorization algorithms using
// extrapolation", Neural Computation 31(2): either factor goes past its new value by a share β of
// its last change. The share grows while the objective falls; where it rises, the iteration is
// taken back, and the share shrinks.
class Extrapolation {
 public:
  Extrapolation(const Input& input, LoopState& state, bool nonnegative_columns,
                BackendView<const float> W, BackendView<const float> Ht);

  // Moves Ht before a pass. What the pass does with W after its step is returned.
  Extrapolated move_columns(BackendView<float> Ht);
  void accept();
  // The pair before the iteration, which is in place again.
  void reject(BackendView<const float> W, BackendView<const float> Ht);
  // The state of a run that goes on.
  void resume(const HostMatrix<float>& previous_W, const HostMatrix<float>& previous_Ht);
  // A pair that something else than the loop's own step has changed.
  void forget(BackendView<const float> W, BackendView<const float> Ht);

  BackendView<const float> previous_W() const { return previous_W_.view(); }
  BackendView<const float> previous_Ht() const { return previous_Ht_.view(); }

 private:
  const Input& input_;
  LoopState& state_;
  const bool nonnegative_columns_;
  BackendMatrix previous_W_;  // as the last step left them, before they were moved
  BackendMatrix previous_Ht_;
};

}  // namespace gemmine
