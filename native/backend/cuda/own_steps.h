#pragma once

#include <memory>

#include "backend/cuda/device.h"
#include "backend/passes.h"

namespace gemmine::cuda {

// Number of elements of the upper triangle of a k×k matrix.
inline Index triangle(Index k) { return k * (k + 1) / 2; }

// to = the products f_a·f_b of each row of F, for a <= b; those of a < b times `beside`.
void form_pairs(const Device& device, BackendView<const float> F, double beside, float* to);

// Whether the step of rows with own normal matrices of k components has a kernel. Others run on the
// CPU.
bool sweeps_on_device(const Step& step, Index k);

// Improves rows, each by its cross product [rows×k] and the upper triangle of its normal matrix
// [rows×triangle(k)], in float32 or float64.
void own_steps(const std::shared_ptr<Device>& device, Passes& host, const Step& step,
               const float* cross, const float* triangles, BackendView<float> factor,
               const Job& job);
void own_steps(const std::shared_ptr<Device>& device, Passes& host, const Step& step,
               const Array<double>& cross, const Array<double>& triangles, double pull,
               BackendView<float> factor, const Job& job);

// Σ_t h_t N_t h_t in float64.
double own_curvature(const std::shared_ptr<Device>& device, const Array<double>& triangles,
                     BackendView<const float> Ht);

}  // namespace gemmine::cuda
