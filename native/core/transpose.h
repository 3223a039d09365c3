#pragma once

#include <cstddef>

#include "core/job.h"

namespace gemmine {

// Converts [rows × cols] from Fortran order to C order. `size` is that of an element in bytes: 1,
// 2, 4 or 8. Both pointers are aligned to it.
void transpose(const std::byte* from, std::byte* to, Index rows, Index cols, Index size,
               const Job& job);

}  // namespace gemmine
