#include "backend/cuda/cuda_passes.h"

#include "backend/cuda/host_path.h"

namespace gemmine::cuda {

std::unique_ptr<Passes> make_passes(std::shared_ptr<Device> device, Passes& host) {
  return std::make_unique<HostPath>(std::move(device), host);
}

}  // namespace gemmine::cuda
