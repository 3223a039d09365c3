#include "backend/cpu/row_blocks.h"

#include <algorithm>

namespace gemmine::cpu {
namespace {

// Merging S in float64 costs d·k elements a block, so a block needs many rows, or non-zeros.
constexpr Index block_rows = 1024;
constexpr Index small_block_rows = 256;
constexpr Index blocks_wanted = 32;  // for a small X, so that every thread has blocks
constexpr Index even_load = 8;       // blocks come in multiples: 7 would keep 2 threads waiting
constexpr Index block_elements = 1 << 17;     // for a narrow X, whose blocks would be too short
constexpr Index widest_narrow_block = 16384;  // float32 sums should not grow much longer
constexpr Index tile_elements = 1 << 17;      // half a megabyte: part of an L2 cache
constexpr Index most_tiles = 10;
constexpr Index whole_tile = 96;  // rows: whole tiles of products (6, 8, 12) and sweeps (32)
constexpr Index block_nonzeros = 1 << 16;

std::vector<Index> cut_by_nonzeros(const RowSource& X, RowRange rows, bool with_sums) {
  const Index wanted = std::max(with_sums ? nonzeros_by_column * X.cols() : 0, block_nonzeros);
  const double* starts = X.indptr();
  const Index end = rows.begin + rows.count;
  std::vector<Index> firsts = {rows.begin};
  for (Index row = rows.begin + 1; row < end; ++row)
    if (starts[row] - starts[firsts.back()] >= static_cast<double>(wanted)) firsts.push_back(row);
  firsts.push_back(end);
  return firsts;
}

// Parts with about equal numbers of rows; the number of parts is about a multiple of even_load.
std::vector<Index> cut_by_rows(const RowSource& X, Index rows) {
  const Index by_count = std::clamp(rows / blocks_wanted, small_block_rows, block_rows);
  const Index by_width = std::min(block_elements / X.cols(), widest_narrow_block);
  const Index most = std::max(by_count, by_width);
  if (rows <= most) return even_parts(rows, most);
  const Index blocks = (rows + most - 1) / most;
  return even_parts(rows, rows / ((blocks + even_load - 1) / even_load * even_load) + 1);
}

}  // namespace

std::vector<Index> even_parts(Index count, Index most) {
  const Index parts = std::max<Index>(1, (count + most - 1) / most);
  std::vector<Index> firsts;
  for (Index i = 0; i <= parts; ++i)
    firsts.push_back(count / parts * i + count % parts * i / parts);
  return firsts;
}

std::vector<Index> row_blocks(const RowSource& X, RowRange rows, bool with_sums) {
  if (X.sparse()) return cut_by_nonzeros(X, rows, with_sums);
  std::vector<Index> firsts = cut_by_rows(X, rows.count);
  for (Index& first : firsts) first += rows.begin;
  return firsts;
}

std::vector<Index> row_blocks(const RowSource& X) {
  return row_blocks(X, {.begin = 0, .count = X.rows()}, true);
}

Index tile_rows(const RowSource& X, Index k) {
  return X.sparse() ? most_tiles * whole_tile : dense_tile_rows(X.cols(), k);
}

Index dense_tile_rows(Index cols, Index k) {
  const Index cached = tile_elements / (cols * whole_tile);
  const Index worthwhile = k / whole_tile;
  return std::clamp(std::max(cached, worthwhile), Index{1}, most_tiles) * whole_tile;
}

}  // namespace gemmine::cpu
