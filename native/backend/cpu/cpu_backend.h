#pragma once

#include <memory>

#include "backend/backend.h"

namespace gemmine::cpu {

// Kernels for this CPU, and the process's pool.
std::unique_ptr<Backend> make_backend();

}  // namespace gemmine::cpu
