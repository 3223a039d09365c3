#include "backend/registry.h"

#include "backend/cpu/cpu_passes.h"
#include "backend/cpu/cpu_scans.h"
#include "backend/cpu/describe.h"
#include "backend/cpu/row_blocks.h"
#include "core/pool.h"

namespace gemmine {

std::vector<DeviceInfo> devices() { return {{.name = "cpu", .available = true, .reason = ""}}; }

namespace {

void require_cpu(const std::string& device) {
  if (device != "cpu")
    throw Error(ErrorCode::device_unavailable, "The device " + device + " is not available");
}

}  // namespace

Passes& passes_for(const std::string& device) {
  require_cpu(device);
  // Never freed: a job may still use it when the process exits.
  static Passes* const cpu = cpu::make_passes(cpu::kernels()).release();
  return *cpu;
}

Scans& scans_for(const std::string& device) {
  require_cpu(device);
  static Scans* const cpu = cpu::make_scans().release();
  return *cpu;
}

HostDescription describe_host() { return cpu::describe(); }
PassSizes pass_sizes() { return cpu::pass_sizes(); }
Perturb host_perturb() { return cpu::kernels().perturb; }
Index tile_rows(Index cols, Index k) { return cpu::dense_tile_rows(cols, k); }

void start_backends() { start_pool(); }
void stop_backends() { stop_pool(); }

}  // namespace gemmine
