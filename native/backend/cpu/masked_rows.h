#pragma once

#include <span>
#include <vector>

#include "backend/entries.h"
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

// What a mask makes of a block that is dense: seen[t] is 1 or 0, and x where it is 0 becomes 1, a
// number that every loss can take.
void mask_row(const Mask& mask, Index row, std::span<float> x, std::span<float> seen);

// The block with noise on its stored entries, in `memory`.
RowBlock perturbed_block(const RowBlock& block, const Noise& noise, std::vector<float>& memory);

}  // namespace gemmine::cpu
