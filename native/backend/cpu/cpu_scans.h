#pragma once

#include <memory>

#include "backend/scans.h"

namespace gemmine::cpu {

// Tiles in float32, or in pairs of bfloat16, on the process's pool.
std::unique_ptr<Scans> make_scans();

}  // namespace gemmine::cpu
