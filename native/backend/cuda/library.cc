#include "backend/cuda/library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <map>
#include <mutex>

namespace gemmine::cuda {
namespace {

constexpr const char* file_name = "gemmine_cuda.so";
// Compute capabilities that the sidecar has code for, ten times: from cmake/cuda.cmake. It holds no
// PTX, so that a GPU needs code of its major version, for its minor version or an earlier one.
constexpr int capabilities[] = {GEMMINE_CUDA_CAPABILITIES};

// Beside the file that this code is in. GEMMINE_CUDA_BACKEND holds another path, for tests.
std::string path_of_sidecar() {
  if (const char* other = std::getenv("GEMMINE_CUDA_BACKEND"); other != nullptr) return other;
  Dl_info found;
  if (dladdr(reinterpret_cast<const void*>(&path_of_sidecar), &found) == 0 ||
      found.dli_fname == nullptr)
    return file_name;
  const std::string addon = found.dli_fname;
  return addon.substr(0, addon.rfind('/') + 1) + file_name;
}

struct Opened {
  const Table* table = nullptr;
  std::string backend;  // its path, and how opening it went
  std::string missing;  // why there is no table
};

Opened open_sidecar() {
  Opened opened;
  const std::string path = path_of_sidecar();
  opened.backend = path;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    opened.missing = "its CUDA backend could not be opened";
    opened.backend += " (" + std::string(reason == nullptr ? "?" : reason) + ")";
    return opened;
  }
  const auto entry = reinterpret_cast<Entry>(dlsym(library, entry_symbol));
  const Table* table = entry == nullptr ? nullptr : entry();
  if (table == nullptr || table->abi != abi_version || table->bytes != sizeof(Table)) {
    opened.missing = "its CUDA backend belongs to another version of gemmine";
    opened.backend +=
        table == nullptr ? " (no table)" : " (ABI " + std::to_string(table->abi) + ")";
    return opened;
  }
  opened.backend += " (ABI " + std::to_string(table->abi) + ")";
  opened.table = table;
  return opened;
}

const Opened& sidecar() {
  static const Opened opened = open_sidecar();
  return opened;
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string driver_text(const Probe& probe) {
  if (probe.driver_version == 0) return "none";
  return "for CUDA " + version_text(probe.driver_version) +
         (probe.driver[0] == '\0' ? "" : ", " + std::string(probe.driver));
}

// Why no device can be used, in a few words; empty if some can.
std::string absence(const Probe& probe) {
  if (probe.driver_version == 0) return "no NVIDIA driver was found (libcuda.so.1)";
  // Within a major version an older driver runs a newer runtime, as nothing is compiled at run
  // time.
  const int needed = probe.runtime_version / 1000 * 1000;
  if (probe.driver_version < needed)
    return "the NVIDIA driver is for CUDA " + version_text(probe.driver_version) +
           ", and gemmine needs one for " + version_text(needed);
  if (probe.devices == 0) return "the driver finds no GPU";
  if (probe.blas_found == 0) return "cuBLAS was not found";
  return "";
}

std::string details(const std::string& backend, const Probe& probe) {
  return "backend: " + backend + "; driver: " + driver_text(probe) +
         (probe.blas_found != 0 ? "; cuBLAS: " : "; cuBLAS, tried: ") + probe.blas;
}

std::string capability_text(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

// Why this device cannot be used; empty if it can.
std::string unsupported(const Table& table, std::int32_t ordinal) {
  DeviceDescription description;
  if (table.runtime.describe(ordinal, &description) != Code::ok)
    return table.runtime.last_failure();
  std::string known;
  for (const int capability : capabilities) {
    if (capability / 10 == description.major && capability % 10 <= description.minor) return "";
    known += (known.empty() ? "" : ", ") + capability_text(capability);
  }
  return std::string(description.name) + " has compute capability " +
         capability_text(10 * description.major + description.minor) +
         ", and gemmine has code for " + known + " and later minor versions of these";
}

}  // namespace

std::vector<Listed> listed_devices() {
  const Opened& opened = sidecar();
  if (opened.table == nullptr)
    return {{"cuda", opened.missing + " (backend: " + opened.backend + ")"}};
  return devices_of(*opened.table, opened.backend);
}

std::vector<Listed> devices_of(const Table& table, const std::string& backend) {
  Probe probe;
  table.runtime.probe(&probe);
  if (const std::string reason = absence(probe); !reason.empty())
    return {{"cuda", reason + " (" + details(backend, probe) + ")"}};
  std::vector<Listed> devices;
  for (std::int32_t i = 0; i < probe.devices; ++i)
    devices.push_back({"cuda:" + std::to_string(i), unsupported(table, i)});
  return devices;
}

std::shared_ptr<Device> device_named(const std::string& name) {
  static std::mutex mutex;
  // Never freed: a job may still use a device when the process exits.
  static auto& open = *new std::map<std::string, std::shared_ptr<Device>>;
  const std::lock_guard lock(mutex);
  if (const auto found = open.find(name); found != open.end()) return found->second;
  const std::vector<Listed> devices = listed_devices();
  for (std::size_t i = 0; i < devices.size(); ++i)
    if (devices[i].name == name && devices[i].reason.empty())
      return open[name] = std::make_shared<Device>(*sidecar().table, static_cast<std::int32_t>(i));
  std::string reason = "there is no such device";
  for (const Listed& device : devices)
    if (device.name == name || device.name == "cuda") reason = device.reason;
  throw Error(ErrorCode::device_unavailable,
              "The device " + name + " is not available: " + reason + ". Use cpu or auto");
}

}  // namespace gemmine::cuda
