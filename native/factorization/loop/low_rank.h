#pragma once

#include "factorization/input.h"
#include "factorization/singular.h"

namespace gemmine {

// Improves W, Ht >= 0 by iterations of HALS on U diag(s) Vᵀ ≈ X, which read no X: docs/math/nmf.md.
// Never raises the error of that approximation, up to rounding.
void improve_on_low_rank(const Input& input, SingularTriplets triplets, BackendView<float> W,
                         BackendView<float> Ht);

}  // namespace gemmine
