#include "backend/registry.h"

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/describe.h"
#include "backend/cpu/pool.h"

namespace gemmine {

std::vector<DeviceInfo> devices() { return {{.name = "cpu", .available = true, .reason = ""}}; }

Backend& backend_for(const std::string& device) {
  if (device != "cpu")
    throw Error(ErrorCode::device_unavailable, "The device " + device + " is not available");
  // Never freed: a job may still hold it when the process exits.
  static Backend* const cpu = cpu::make_backend(cpu::kernels()).release();
  return *cpu;
}

HostDescription describe_host() { return cpu::describe(); }

void stop_backends() { cpu::stop_pool(); }

}  // namespace gemmine
