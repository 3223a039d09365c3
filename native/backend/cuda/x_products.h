#pragma once

#include <memory>
#include <vector>

#include "backend/cuda/device.h"
#include "core/job.h"
#include "core/row_source.h"

namespace gemmine::cuda {

// See Passes::multiply_in_float64 and Passes::squared_products.
void x_times(const std::shared_ptr<Device>& device, const RowSource& X, int exponent,
             HostView<const double> B, BackendView<float> to, const Job& job);
std::vector<double> x_squared_products(const std::shared_ptr<Device>& device, const RowSource& X,
                                       int exponent, HostView<const double> B, const Job& job);

}  // namespace gemmine::cuda
