#include "backend/cpu/kernels.h"

namespace gemmine::cpu {

std::vector<const Kernels*> runnable_kernels() {
  std::vector<const Kernels*> runnable;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2 && avx512) runnable.push_back(&avx512_kernels);
  if (avx2) runnable.push_back(&avx2_kernels);
#endif
  runnable.push_back(&baseline_kernels);
  return runnable;
}

const Kernels& kernels() {
  static const Kernels& fastest = *runnable_kernels().front();
  return fastest;
}

}  // namespace gemmine::cpu
