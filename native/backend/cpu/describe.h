#pragma once

#include "backend/registry.h"

namespace gemmine::cpu {

HostDescription describe();

}  // namespace gemmine::cpu
