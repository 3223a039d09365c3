#pragma once

#include <cstdio>

#include "backend/cpu/cpu_passes.h"
#include "backend/cpu/pool.h"
#include "guarded_passes.h"

namespace test {

// Runs a suite on every device there is: the CPU with each set of kernels, and one whose memory
// host code cannot touch.
template <class Suite>
void each_device(const Suite& suite) {
  cpu::set_pool_threads(3);
  for (const cpu::Kernels* kernels : cpu::runnable_kernels()) {
    std::printf("cpu kernels: %s\n", *kernels->features == '\0' ? "baseline" : kernels->features);
    suite(*cpu::make_passes(*kernels));
  }
  cpu::stop_pool();
  std::printf("guarded memory, smaller scenes: its naive loops are slow\n");
  GuardedPasses guarded;
  suite(guarded);
}

// A tenth of many rows on a device of naive loops.
inline Index shortened(const Passes& device, Index rows) {
  return device.name() == "guarded" && rows > 100 ? rows / 10 : rows;
}

}  // namespace test
