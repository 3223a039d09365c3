#pragma once

#include <memory>

#include "backend/cuda/device.h"
#include "backend/cuda/scan_sizes.h"
#include "backend/scans.h"

namespace gemmine::cuda {

// Scans on a GPU. `host` checks rows and makes checksums; it must outlive the result.
std::unique_ptr<Scans> make_scans(std::shared_ptr<Device> device, Scans& host);
// The same with other sizes of memory, for tests.
std::unique_ptr<Scans> make_scans(std::shared_ptr<Device> device, Scans& host,
                                  const ScanSizes& sizes);

}  // namespace gemmine::cuda
