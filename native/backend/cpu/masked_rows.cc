#include "backend/cpu/masked_rows.h"

#include <cmath>

#include "core/row_block.h"

namespace gemmine::cpu {

bool is_seen(const Mask& mask, Index row, Index column, Index cols, float value) {
  if (mask.seen != nullptr && mask.seen[row * cols + column] == 0) return false;
  if (mask.nan_is_missing && std::isnan(value)) return false;
  return !is_held_out(mask, row, column);
}

void seen_entries(const RowBlock& block, Index i, Index cols, const Mask& mask, SeenEntries& to) {
  to.values.clear();
  to.columns.clear();
  const Index row = block.begin + i;
  const auto take = [&](Index column, float value) {
    if (!is_seen(mask, row, column, cols, value)) return;
    to.values.push_back(value);
    to.columns.push_back(static_cast<std::int32_t>(column));
  };
  if (block.dense.data != nullptr) {
    for (Index t = 0; t < cols; ++t) take(t, block.dense(i, t));
    return;
  }
  const auto end = static_cast<Index>(block.indptr[i + 1]);
  for (auto at = static_cast<Index>(block.indptr[i]); at < end; ++at)
    take(block.indices[at], block.values[at]);
}

void mask_row(const Mask& mask, Index row, std::span<float> x, std::span<float> seen) {
  const auto cols = static_cast<Index>(x.size());
  for (Index t = 0; t < cols; ++t) {
    const bool counts = is_seen(mask, row, t, cols, x[t]);
    seen[t] = counts ? 1.0f : 0.0f;
    if (!counts) x[t] = 1.0f;
  }
}

}  // namespace gemmine::cpu
