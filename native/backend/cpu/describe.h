#pragma once

#include "backend/registry.h"

namespace gemmine::cpu {

HostDescription describe();
PassSizes pass_sizes();

}  // namespace gemmine::cpu
