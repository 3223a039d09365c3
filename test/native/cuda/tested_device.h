#pragma once

#include "backend/cuda/library.h"
#include "chosen_device.h"
#include "emulated.h"

namespace test {

// The GPU that GEMMINE_TEST_DEVICE names, else the emulated one.
inline std::shared_ptr<gemmine::cuda::Device> tested_device() {
  const char* name = chosen_device();
  return name == nullptr ? emulated_device() : gemmine::cuda::device_named(name);
}

}  // namespace test
