#pragma once

#include "factorization/input.h"

namespace gemmine {

// The non-negative least-squares codes W [n×k] of all rows for a fixed Ht [d×k], from W = 0.
void solve_codes(const Input& input, const Penalties& penalties, BackendView<const float> Ht,
                 BackendView<float> W);

}  // namespace gemmine
