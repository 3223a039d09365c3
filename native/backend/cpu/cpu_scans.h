#pragma once

#include <memory>

#include "backend/scans.h"

namespace gemmine::cpu {

// Scans with tiles in float32 or in pairs of bfloat16, on the pool of the process.
std::unique_ptr<Scans> make_scans();

}  // namespace gemmine::cpu
