#pragma once

#include <vector>

#include "core/row_source.h"

namespace gemmine::cpu {

// Non-zeros of a block of a sparse X, at least, for each column of X.
inline constexpr Index nonzeros_by_column = 16;

// First rows of the blocks whose sums a pass forms in float32, then the row after the last block.
// They depend only on n, d, k and the non-zeros, never on the number of threads. A pass without
// sums merges nothing and uses smaller blocks of a sparse X.
std::vector<Index> row_blocks(const RowSource& X, RowRange rows, bool with_sums);
std::vector<Index> row_blocks(const RowSource& X);  // all rows, with sums

// Maximum of rows in a tile of a block. X should stay in cache from X_b·Ht to X_bᵀ·W_b, but a step
// prepares k×k numbers for each tile.
Index tile_rows(const RowSource& X, Index k);
Index dense_tile_rows(Index cols, Index k);

// Cuts `count` rows into parts of at most `most` rows, as even as possible.
std::vector<Index> even_parts(Index count, Index most);

}  // namespace gemmine::cpu
