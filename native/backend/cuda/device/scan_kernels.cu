#include "backend/cuda/device/platform.h"
#include "backend/cuda/device/runtime.h"

namespace gemmine::cuda::device {

ScanTable scan_table() { return {.kernels = 0}; }

}  // namespace gemmine::cuda::device
