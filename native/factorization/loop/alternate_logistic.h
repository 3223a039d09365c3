#pragma once

#include "factorization/loop/alternate.h"

namespace gemmine {

// The same loop for the logistic loss of a binary X and orthonormal rows of H: both factors descend
// on a quadratic majoriser of the loss at the pair before the iteration.
// docs/math/semi-orthogonal-nmf.md. The squared error at the end is that of probabilities,
// ‖X − σ(W Htᵀ)‖².
Alternated alternate_logistic(const Input& input, const LoopOptions& options,
                              Checkpoints& checkpoints, LoopState& state, BackendView<float> W,
                              BackendView<float> Ht);

// ‖X − σ(W Htᵀ)‖².
double probability_error(const Input& input, BackendView<float> W, BackendView<const float> Ht);

}  // namespace gemmine
