#pragma once

#include <string>
#include <vector>

#include "backend/passes.h"
#include "backend/scans.h"

namespace gemmine {

struct DeviceInfo {
  std::string name;
  bool available;
  std::string reason;  // why not, empty when available
};

std::vector<DeviceInfo> devices();

// What info() tells about this machine.
struct HostDescription {
  std::string cpu_model;     // "AMD EPYC 9654", empty where the system does not tell
  std::string cpu_features;  // instruction sets that the kernels use, separated by spaces
  std::string cpu_scan;      // numbers that a scan begins with: "float32", "bfloat16"
  std::string blas_name;
  std::string blas_version;
  std::string blas_core;  // the CPU whose kernels the BLAS chose
  Index threads;          // of the pool
  std::string threads_reason;
};

HostDescription describe_host();

// `device` as lib/device.ts resolved it. Backends live as long as the process.
Passes& passes_for(const std::string& device);
Scans& scans_for(const std::string& device);

// Starts the threads of all backends, which the first job does otherwise. Throws where the system
// allows none.
void start_backends();

// Waits for running blocks and ends the threads of all backends; called once at process exit.
void stop_backends();

}  // namespace gemmine
