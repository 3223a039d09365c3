#pragma once

#include <vector>

#include "core/job.h"
#include "core/matrix.h"
#include "core/row_source.h"

namespace gemmine::cpu {

// See Passes.
void multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B,
                         HostView<float> to, const Job& job);

std::vector<double> squared_products(const RowSource& X, int exponent, HostView<const double> B,
                                     const Job& job);

}  // namespace gemmine::cpu
