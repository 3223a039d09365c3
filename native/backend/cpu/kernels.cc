#include "backend/cpu/kernels.h"

#include "backend/cpu/instruction_sets.h"

namespace gemmine::cpu {

std::vector<const Kernels*> runnable_kernels() {
  std::vector<const Kernels*> runnable;
#if defined(__x86_64__)
  if (has_avx512()) runnable.push_back(&avx512_kernels);
  if (has_avx2()) runnable.push_back(&avx2_kernels);
#endif
  runnable.push_back(&baseline_kernels);
  return runnable;
}

const Kernels& kernels() {
  static const Kernels& fastest = *runnable_kernels().front();
  return fastest;
}

}  // namespace gemmine::cpu
