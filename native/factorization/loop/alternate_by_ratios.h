#pragma once

#include "factorization/loop/alternate.h"

namespace gemmine {

// The same loop for a divergence, or with excluded entries: ratio steps of both factors, from
// numerators and denominators of every element. Lee & Seung (2001) for β = 2 and 1; for other β the
// exponents of Févotte & Idier (2011), with which the objective never rises. Penalties are added to
// the loss of the input: ‖X − W Htᵀ‖² for frobenius_loss, D_β(X, W Htᵀ) otherwise.
Alternated alternate_by_ratios(const Input& input, const LoopOptions& options,
                               Checkpoints& checkpoints, LoopState& state, BackendView<float> W,
                               BackendView<float> Ht);

// The exponent γ(β) of the monotone step.
double monotone_exponent(double beta);

}  // namespace gemmine
