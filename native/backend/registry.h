#pragma once

#include <string>
#include <vector>

#include "backend/passes.h"
#include "backend/perturbed_block.h"
#include "backend/scans.h"

namespace gemmine {

struct DeviceInfo {
  std::string name;
  bool available;
  std::string reason;  // why not, empty when available
};

std::vector<DeviceInfo> devices();

// Description of this machine, for info().
struct HostDescription {
  std::string cpu_model;     // "AMD EPYC 9654", empty if unknown
  std::string cpu_features;  // instruction sets that the kernels use, separated by spaces
  std::string cpu_scan;      // number format of the first scan: "float32", "bfloat16"
  std::string blas_name;
  std::string blas_version;
  std::string blas_core;  // the CPU type whose kernels the BLAS uses
  Index threads;          // of the pool
  std::string threads_reason;
};

HostDescription describe_host();

// What bounds the memory of a pass on the device that takes most.
struct PassSizes {
  Index sums_at_once;        // blocks whose float32 sums exist at the same time, at most
  Index nonzeros_by_column;  // of a block of a sparse X, at least, for each of its columns
  Index panel_columns;       // columns of a factor are padded to multiples of this, at most
};

PassSizes pass_sizes();

// Rows of a dense X of `cols` columns that a thread holds at a time, at most, in a pass for k
// columns of a factor.
Index tile_rows(Index cols, Index k);

// Puts noise on entries by the vectors of this CPU, with the bits of `perturb`.
Perturb host_perturb();

// `device` as resolved by lib/device.ts. Backends are never freed.
Passes& passes_for(const std::string& device);
Scans& scans_for(const std::string& device);

// Starts the threads of all backends; otherwise the first job starts them. Throws if the system
// allows none.
void start_backends();

// Waits for running blocks and ends the threads of all backends; called once at process exit.
void stop_backends();

}  // namespace gemmine
