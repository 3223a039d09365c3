#pragma once

#include <vector>

#include "core/linear_algebra.h"

namespace gemmine::cpu {

// The rows without gaps, in float64, in which products of float32 are exact.
std::vector<double> widened(HostView<const float> rows);

// The upper triangle of factorᵀ·factor [k×k], converted to float64 first, in which products of
// float32 are exact.
void add_gram(HostView<const float> factor, Into into, std::vector<double>& upper);

// Copies the upper triangle [k×k] to the lower one.
void mirror_upper(std::vector<double>& square, Index k);

}  // namespace gemmine::cpu
