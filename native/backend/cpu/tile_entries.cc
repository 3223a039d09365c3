#include "backend/cpu/tile_entries.h"

#include <algorithm>

#include "backend/cpu/masked_rows.h"
#include "backend/cpu/panels.h"
#include "backend/perturbed_block.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

SparseRows all_stored(const EntryReading& how, const RowBlock& rows, Workspace& workspace) {
  const double first = rows.indptr[0];
  for (Index i = 0; i < rows.count; ++i) workspace.indptr.push_back(rows.indptr[i + 1] - first);
  const auto begin = static_cast<Index>(first);
  const auto count = static_cast<Index>(workspace.indptr.back());
  workspace.values.resize(static_cast<std::size_t>(count));
  how.kernels.scaled_copy({rows.values + begin, 1, count, count}, how.scale,
                          {workspace.values.data(), 1, count, count});
  return {rows.count, workspace.indptr.data(), rows.indices + begin, workspace.values.data()};
}

// Returns the stored entries that count, scaled.
SparseRows stored(const EntryReading& how, const RowBlock& rows, Index d, Workspace& workspace) {
  workspace.indptr.assign(1, 0.0);
  const Mask& mask = how.mask;
  if (mask.seen == nullptr && !mask.nan_is_missing && mask.held_out == 0)
    return all_stored(how, rows, workspace);
  workspace.indices.clear();
  workspace.values.clear();
  for (Index i = 0; i < rows.count; ++i) {
    seen_entries(rows, i, d, mask, workspace.row);
    workspace.indices.insert(workspace.indices.end(), workspace.row.columns.begin(),
                             workspace.row.columns.end());
    for (const float value : workspace.row.values)
      workspace.values.push_back(static_cast<float>(how.scale * value));
    workspace.indptr.push_back(static_cast<double>(workspace.values.size()));
  }
  return {rows.count, workspace.indptr.data(), workspace.indices.data(), workspace.values.data()};
}

void densify(const EntryReading& how, const RowBlock& rows, Index d, TileEntries& entries,
             Workspace& workspace) {
  entries.x = rows_in(workspace.x, rows.count, d, how.padded_d);
  if (rows.dense.data != nullptr) {
    how.kernels.scaled_copy(rows.dense, how.scale, entries.x);
  } else {
    std::ranges::fill(workspace.x, 0.0f);
    for (Index i = 0; i < rows.count; ++i) {
      const auto end = static_cast<Index>(rows.indptr[i + 1]);
      for (auto at = static_cast<Index>(rows.indptr[i]); at < end; ++at)
        entries.x(i, rows.indices[at]) += static_cast<float>(how.scale * rows.values[at]);
    }
  }
  if (how.mask.all_pass()) return;
  entries.seen = rows_in(workspace.seen, rows.count, d, how.padded_d);
  const auto cols = static_cast<std::size_t>(d);
  for (Index i = 0; i < rows.count; ++i)
    mask_row(how.mask, rows.begin + i, {entries.x.row(i), cols}, {entries.seen.row(i), cols});
}

}  // namespace

TileEntries read_tile(const EntryReading& how, const RowBlock& given, Index d,
                      Workspace& workspace) {
  const RowBlock rows = perturbed_block(given, how.noise, workspace.perturbed, how.kernels.perturb);
  TileEntries entries{.sparse = how.sparse,
                      .x = {},
                      .seen = {},
                      .rows = {},
                      .begin = rows.begin,
                      .count = rows.count};
  if (how.sparse)
    entries.rows = stored(how, rows, d, workspace);
  else
    densify(how, rows, d, entries, workspace);
  return entries;
}

}  // namespace gemmine::cpu
