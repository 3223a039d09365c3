#pragma once

#include <string>

namespace gemmine::cpu {

// What info() tells about this machine.
struct Description {
  std::string model;     // "AMD EPYC 9654", empty where the system does not tell
  std::string features;  // instruction sets that the kernels use, separated by spaces
  std::string blas_name;
  std::string blas_version;
  std::string blas_core;  // the CPU whose kernels OpenBLAS chose
};

Description describe();

}  // namespace gemmine::cpu
