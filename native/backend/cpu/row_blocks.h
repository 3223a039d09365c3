#pragma once

#include <vector>

#include "core/row_source.h"

namespace gemmine::cpu {

// First rows of the blocks whose sums a pass forms in float32, and the row after the last.
// They depend on n, d, k and the non-zeros only, never on the number of threads. A pass without
// sums has nothing to merge, and cuts a sparse X finer.
std::vector<Index> row_blocks(const RowSource& X, RowRange rows, bool with_sums);
std::vector<Index> row_blocks(const RowSource& X);  // all rows, with sums

// A block is worked through in tiles of this many rows at most. X should stay in cache from X_b·Ht
// to X_bᵀ·W_b, but a step prepares k×k numbers for each tile.
Index tile_rows(const RowSource& X, Index k);

// Cuts `count` rows into parts of at most `most`, as even as they get.
std::vector<Index> even_parts(Index count, Index most);

}  // namespace gemmine::cpu
