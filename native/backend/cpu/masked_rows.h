#pragma once

#include <span>
#include <vector>

#include "backend/entries.h"
#include "core/row_block.h"
#include "core/row_source.h"

namespace gemmine::cpu {

// The entries of one row that count. Memory of one thread.
struct SeenEntries {
  std::vector<float> values;
  std::vector<std::int32_t> columns;
};

bool is_seen(const Mask& mask, Index row, Index column, Index cols, float value);

// Entries of row i of a block that are stored and count.
void seen_entries(const RowBlock& block, Index i, Index cols, const Mask& mask, SeenEntries& to);

// Applies a mask to a row of a dense block: seen[t] is 1 or 0; where it is 0, x becomes 1, a value
// that is valid for every loss.
void mask_row(const Mask& mask, Index row, std::span<float> x, std::span<float> seen);

}  // namespace gemmine::cpu
