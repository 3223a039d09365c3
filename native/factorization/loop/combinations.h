#pragma once

#include "factorization/loop/alternate.h"

namespace gemmine {

// The same loop for components that are combinations of rows, H = A X: docs/math/convex-nmf.md. An
// iteration reads X twice, for W and for A. `memory` [n×2k]: its left half is B = Aᵀ, whose columns
// sum to 1 ± `relaxation`.
Alternated alternate_combinations(const Input& input, const ModelRule& rule,
                                  const LoopOptions& options, double relaxation,
                                  Checkpoints& checkpoints, Previous previous, LoopState& state,
                                  BackendView<float> W, BackendView<float> Ht,
                                  BackendView<float> memory);

}  // namespace gemmine
