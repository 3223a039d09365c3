#pragma once

#include "factorization/factors.h"
#include "factorization/input.h"

namespace gemmine {

// Whether the svd start may leave less of X than this pair, with row_gram = WᵀW. Estimated from a
// sample of rows, without a read of X. See docs/decisions/0014.
bool svd_may_leave_less(const Input& input, BackendView<const float> W, BackendView<const float> Ht,
                        const std::vector<double>& row_gram, double squared_error,
                        std::uint64_t seed);

}  // namespace gemmine
