#pragma once

#include <vector>

#include "backend/entries.h"
#include "core/row_block.h"

namespace gemmine {

// Returns the block with noise on its stored entries, stored in `memory`, where the block itself
// may be.
RowBlock perturbed_block(const RowBlock& block, const Noise& noise, std::vector<float>& memory);

}  // namespace gemmine
