#pragma once

#include <memory>

#include "backend/cuda/device.h"
#include "backend/passes.h"

namespace gemmine::cuda {

// `host`: the device of the CPU, for the operations that run there.
std::unique_ptr<Passes> make_passes(std::shared_ptr<Device> device, Passes& host);

}  // namespace gemmine::cuda
