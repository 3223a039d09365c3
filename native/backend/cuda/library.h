#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/cuda/device.h"

namespace gemmine::cuda {

// A device as info() lists it.
struct Listed {
  std::string name;    // "cuda:0"; "cuda" if there is none
  std::string reason;  // why it cannot be used; empty if it can
};

// Opens gemmine_cuda.so beside the addon on the first call, and never closes it.
std::vector<Listed> listed_devices();

// The devices of an opened library; `backend` describes it in a reason.
std::vector<Listed> devices_of(const Table& table, const std::string& backend);

// Opened once, by name ("cuda:1"), and never closed. Throws Error(device_unavailable) with all that
// was tried.
std::shared_ptr<Device> device_named(const std::string& name);

}  // namespace gemmine::cuda
