#pragma once

#include <vector>

#include "factorization/input.h"

namespace gemmine {

// A unit vector y with U y > 0 in all rows of U [n×k] but those of zeros, for orthonormal columns,
// if there is one with a margin; else one for which the largest shortfalls are small. `scratch`
// [n×1] is overwritten.
std::vector<double> positive_direction(const Input& input, BackendView<const float> U,
                                       BackendView<float> scratch);

}  // namespace gemmine
