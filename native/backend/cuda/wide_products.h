#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backend/cuda/device.h"
#include "core/job.h"

namespace gemmine::cuda {

// Aᵀ·diag(weights)·B [a×b] in float64; no weights: 1 each.
std::vector<double> wide_gram(const std::shared_ptr<Device>& device, BackendView<const float> A,
                              BackendView<const float> B, std::span<const float> weights,
                              const Job& job);

// to = A·B in float64, rounded when it is stored; `to` may be columns of A.
void wide_multiply(const std::shared_ptr<Device>& device, BackendView<const float> A,
                   HostView<const double> B, BackendView<float> to, const Job& job);

}  // namespace gemmine::cuda
