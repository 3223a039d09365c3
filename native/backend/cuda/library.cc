#include "backend/cuda/library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <map>
#include <mutex>

namespace gemmine::cuda {
namespace {

constexpr const char* file_name = "gemmine_cuda.so";
constexpr int oldest_capability = 8;  // major

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
  if (probe.driver_version < probe.runtime_version)
    return "the NVIDIA driver is for CUDA " + version_text(probe.driver_version) +
           ", and gemmine needs one for " + version_text(probe.runtime_version);
  if (probe.devices == 0) return "the driver finds no GPU";
  if (probe.blas_found == 0) return "cuBLAS was not found";
  return "";
}

std::string details(const Opened& opened, const Probe* probe) {
  std::string text = "backend: " + opened.backend;
  if (probe == nullptr) return text;
  text += "; driver: " + driver_text(*probe);
  return text + (probe->blas_found != 0 ? "; cuBLAS: " : "; cuBLAS, tried: ") + probe->blas;
}

std::string too_old(const Table& table, std::int32_t ordinal) {
  DeviceDescription description;
  if (table.runtime.describe(ordinal, &description) != Code::ok)
    return table.runtime.last_failure();
  if (description.major >= oldest_capability) return "";
  return std::string(description.name) + " has compute capability " +
         std::to_string(description.major) + "." + std::to_string(description.minor) +
         ", and gemmine needs " + std::to_string(oldest_capability) + ".0";
}

}  // namespace

std::vector<Listed> listed_devices() {
  const Opened& opened = sidecar();
  if (opened.table == nullptr)
    return {{"cuda", opened.missing + " (" + details(opened, nullptr) + ")"}};
  Probe probe;
  opened.table->runtime.probe(&probe);
  if (const std::string reason = absence(probe); !reason.empty())
    return {{"cuda", reason + " (" + details(opened, &probe) + ")"}};
  std::vector<Listed> devices;
  for (std::int32_t i = 0; i < probe.devices; ++i)
    devices.push_back({"cuda:" + std::to_string(i), too_old(*opened.table, i)});
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
