#pragma once

#include <cstdio>

#include "backend/cpu/cpu_passes.h"
#include "backend/cpu/pool.h"
#include "guarded_passes.h"

namespace test {

// Runs a suite on a device whose memory host code cannot touch.
template <class Suite>
void on_guarded_memory(const Suite& suite) {
  std::printf("guarded memory, smaller scenes: its naive loops are slow\n");
  GuardedPasses guarded;
  suite(guarded);
}

// On the CPU with each set of kernels, and on guarded memory.
template <class Suite>
void each_device(const Suite& suite) {
  cpu::set_pool_threads(3);
  for (const cpu::Kernels* kernels : cpu::runnable_kernels()) {
    std::printf("cpu kernels: %s\n", *kernels->features == '\0' ? "baseline" : kernels->features);
    suite(*cpu::make_passes(*kernels));
  }
  cpu::stop_pool();
  on_guarded_memory(suite);
}

inline bool loops_naively(const Passes& device) { return device.name() == "guarded"; }

// A tenth of many rows or iterations on a device of naive loops.
inline Index shortened(const Passes& device, Index count) {
  return loops_naively(device) && count > 100 ? count / 10 : count;
}

}  // namespace test
