#pragma once

#include <memory>
#include <string>

#include "backend/cuda/device.h"
#include "blas.h"
#include "check.h"
#include "emulation.h"
#include "runtime.h"

extern "C" const gemmine::cuda::Table* gemmine_cuda_table();

// The emulated GPU for suites. One thread at a time uses it.
namespace test {

inline std::shared_ptr<gemmine::cuda::Device> emulated_device() {
  return std::make_shared<gemmine::cuda::Device>(*gemmine_cuda_table(), 0);
}

// Ends a suite: no kernel did what a GPU would not forgive, and nothing is held.
inline void check_emulation(const std::string& what) {
  check(emulation::last_failure().empty(), what + ": " + emulation::last_failure());
  check(emulation::held.device_bytes == 0, what + ": device memory is held");
  check(emulation::held.nothing(), what + ": streams, events or handles are held");
  emulation::forget_failure();
}

}  // namespace test
