#pragma once

#include "factorization/loop/alternate.h"

namespace gemmine {

// The same loop for any loss by entries, or with excluded entries: ratio steps of both factors,
// from numerators and denominators of every element. Lee & Seung (2001) for β = 2 and 1; for other
// β the exponents of Févotte & Idier (2011), with which the objective never rises; docs/math for
// the other losses. Penalties are added to the loss of the input. Extrapolated steps go further
// than these (Salakhutdinov & Roweis 2003, docs/math/extrapolation.md) and are undone if they raise
// the objective.
Alternated alternate_by_ratios(const Input& input, const LoopOptions& options,
                               Checkpoints& checkpoints, Previous previous, LoopState& state,
                               BackendView<float> W, BackendView<float> Ht);

// The step of a factor for penalties beside this loss.
Step ratio_step(const Loss& loss, double l1, double l2, Index sweeps);
// Steps weigh penalties against twice an entry's contribution; the objective has another multiple
// of it.
double penalty_unit(const Loss& loss);

// The exponent γ(β) of the monotone step.
double monotone_exponent(double beta);

}  // namespace gemmine
