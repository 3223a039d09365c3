#include "backend/cpu/scan_kernels.h"

#include "backend/cpu/instruction_sets.h"

namespace gemmine::cpu {

std::vector<const ScanKernels*> available_scan_kernels() {
  std::vector<const ScanKernels*> all{&baseline_scan_kernels};
#if defined(__x86_64__)
  if (has_avx2()) all.push_back(&avx2_scan_kernels);
  if (has_avx512()) all.push_back(&avx512_scan_kernels);
#endif
  return all;
}

const ScanKernels& scan_kernels() {
  static const ScanKernels& widest = *available_scan_kernels().back();
  return widest;
}

std::vector<const ScanFormat*> available_scan_formats() {
  std::vector<const ScanFormat*> all;
  for (const ScanKernels* kernels : available_scan_kernels()) all.push_back(&kernels->float32);
#if defined(__x86_64__)
  if (has_avx512bf16()) all.push_back(&avx512_bfloat16);
#endif
  return all;
}

const ScanFormat& first_format() {
  static const ScanFormat& fastest = *available_scan_formats().back();
  return fastest;
}

const ScanFormat& finest_format() { return scan_kernels().float32; }

}  // namespace gemmine::cpu
