#pragma once

#include <cstdio>

#include "backend/cpu/cpu_passes.h"
#include "backend/cuda/cuda_passes.h"
#include "backend/registry.h"
#include "check.h"
#include "chosen_device.h"
#include "core/pool.h"
#include "guarded_passes.h"
#ifdef GEMMINE_CUDA_EMULATION
#include "cuda/emulated.h"
#endif

namespace test {

// Runs a suite on a device whose memory host code cannot touch.
template <class Suite>
void on_guarded_memory(const Suite& suite) {
  if (thread_sanitizer) {
    std::printf(
        "guarded memory: skipped under the thread sanitizer, its loops are those of one thread\n");
    return;
  }
  std::printf("guarded memory, smaller scenes: its naive loops are slow\n");
  GuardedPasses guarded;
  suite(guarded);
}

// The CUDA backend over an emulated GPU, which stays open; null where it cannot be emulated.
inline Passes* emulated_gpu() {
#ifdef GEMMINE_CUDA_EMULATION
  static const auto passes = cuda::make_passes(emulated_device(), passes_for("cpu"));
  return passes.get();
#else
  return nullptr;
#endif
}

// Runs a suite on the sources of the CUDA backend over an emulated GPU.
template <class Suite>
void on_emulated_gpu([[maybe_unused]] const Suite& suite) {
#ifdef GEMMINE_CUDA_EMULATION
  std::printf("cuda:0 (host emulation)\n");
  {
    const auto device = emulated_device();
    suite(*cuda::make_passes(device, passes_for("cpu")));
  }
  check_emulation("the emulated GPU");
#else
  std::printf("emulated GPU: skipped, it is for Linux on x86-64, without sanitizers\n");
#endif
}

// Runs a suite on the CPU with each set of kernels, on an emulated GPU, and on guarded memory.
template <class Suite>
void each_device(const Suite& suite) {
  set_pool_threads(3);
  on_chosen_device([&](const std::string& name) { suite(passes_for(name)); });
  for (const cpu::Kernels* kernels : cpu::runnable_kernels()) {
    std::printf("cpu kernels: %s\n", *kernels->features == '\0' ? "baseline" : kernels->features);
    suite(*cpu::make_passes(*kernels));
    if (thread_sanitizer) {
      std::printf("other kernels: skipped under the thread sanitizer, their threads do the same\n");
      break;
    }
  }
  on_emulated_gpu(suite);
  stop_pool();
  on_guarded_memory(suite);
}

// Whether a suite should use fewer and smaller scenes.
inline bool is_slow(const Passes& device) {
  return thread_sanitizer || device.name() == "guarded" || device.name() == "cuda:0";
}

// A tenth of a large number of rows or iterations if the device uses naive loops.
inline Index shortened(const Passes& device, Index count) {
  return is_slow(device) && count > 100 ? count / 10 : count;
}

}  // namespace test
