#pragma once

#include "backend/cuda/device.h"
#include "backend/passes.h"

namespace gemmine::cuda {

// Whether a pass runs on the device: all but those with a row addend for a step without a kernel,
// which run on the CPU.
bool runs_on_device(const Pass& pass);

// See Passes::pass. Products are cuBLAS's in float32; sums across blocks, Gram matrices and the
// terms of the loss are in float64, in the order of blocks.
void run_pass(const std::shared_ptr<Device>& device, Passes& host, const Pass& pass,
              const Job& job);

}  // namespace gemmine::cuda
