#pragma once

#include <string>
#include <vector>

#include "backend/backend.h"

namespace gemmine {

struct DeviceInfo {
  std::string name;
  bool available;
  std::string reason;  // why not, empty when available
};

std::vector<DeviceInfo> devices();

// `device` as lib/device.ts resolved it. Backends live as long as the process.
Backend& backend_for(const std::string& device);

}  // namespace gemmine
