#include "backend/registry.h"

#include <map>
#include <mutex>

#include "backend/cpu/cpu_passes.h"
#include "backend/cpu/cpu_scans.h"
#include "backend/cpu/describe.h"
#include "backend/cpu/row_blocks.h"
#include "backend/cuda/cuda_passes.h"
#include "backend/cuda/cuda_scans.h"
#include "backend/cuda/library.h"
#include "core/pool.h"

namespace gemmine {

std::vector<DeviceInfo> devices() {
  std::vector<DeviceInfo> all = {{.name = "cpu", .available = true, .reason = ""}};
  for (cuda::Listed& device : cuda::listed_devices())
    all.push_back({.name = std::move(device.name),
                   .available = device.reason.empty(),
                   .reason = std::move(device.reason)});
  return all;
}

namespace {

// The implementation on a device, made once by make(). Never freed: a job may still use it when the
// process exits.
template <class Seam, class Make>
Seam& kept(const std::string& device, const Make& make) {
  static std::mutex mutex;
  static auto& made = *new std::map<std::string, Seam*>;
  const std::lock_guard lock(mutex);
  Seam*& seam = made[device];
  if (seam == nullptr) seam = make().release();
  return *seam;
}

Passes& cpu_passes() {
  static Passes* const cpu = cpu::make_passes(cpu::kernels()).release();
  return *cpu;
}

Scans& cpu_scans() {
  static Scans* const cpu = cpu::make_scans().release();
  return *cpu;
}

}  // namespace

Passes& passes_for(const std::string& device) {
  if (device == "cpu") return cpu_passes();
  return kept<Passes>(device,
                      [&] { return cuda::make_passes(cuda::device_named(device), cpu_passes()); });
}

Scans& scans_for(const std::string& device) {
  if (device == "cpu") return cpu_scans();
  return kept<Scans>(device,
                     [&] { return cuda::make_scans(cuda::device_named(device), cpu_scans()); });
}

HostDescription describe_host() { return cpu::describe(); }
PassSizes pass_sizes() { return cpu::pass_sizes(); }
Perturb host_perturb() { return cpu::kernels().perturb; }
Index tile_rows(Index cols, Index k) { return cpu::dense_tile_rows(cols, k); }

void start_backends() { start_pool(); }
void stop_backends() { stop_pool(); }

}  // namespace gemmine
