#pragma once

#include <cstddef>

#include "core/job.h"

namespace gemmine {

// Writes [rows × cols] from its columns, which lie one after the other: Fortran order into C order.
// `size` is that of an element in bytes: 1, 2, 4 or 8. Both are aligned to it.
void transpose(const std::byte* from, std::byte* to, Index rows, Index cols, Index size,
               const Job& job);

}  // namespace gemmine
