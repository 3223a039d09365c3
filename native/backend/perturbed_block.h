#pragma once

#include <cstdint>
#include <vector>

#include "backend/entries.h"
#include "core/row_block.h"

namespace gemmine {

// Stored entries of one row, and their columns: 0, 1, … if `columns` is null.
struct NoisyRun {
  const float* x;
  Index count;
  Index row;
  const std::int32_t* columns;
};

// Writes the entries with noise, which may be written where they are; a device may do it faster.
using Perturb = void (*)(const NoisyRun& run, const Noise& noise, float* to);
void perturb(const NoisyRun& run, const Noise& noise, float* to);

// Returns the block with noise on its stored entries, stored in `memory`, where the block itself
// may be.
RowBlock perturbed_block(const RowBlock& block, const Noise& noise, std::vector<float>& memory,
                         Perturb perturb);

}  // namespace gemmine
