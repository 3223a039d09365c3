// The product of a tile over `Lanes`; a file for each instruction set and format defines `Lanes`. A
// vector holds one word of each of its rows.

#include "backend/cpu/scan_format.h"

namespace gemmine::cpu {
namespace {

using Vector = Lanes::Vector;
constexpr int width = Lanes::width;
constexpr int block_vectors = 2;
constexpr int block_rows = block_vectors * width;
constexpr int block_queries = Lanes::block_queries;
static_assert(panel_rows % block_rows == 0 && tile_queries % block_queries == 0);

// The sums of a block stay in registers.
void score_block(const float* queries, const float* panel, Index words, float* tile) {
  Vector sums[block_queries][block_vectors] = {};
  for (Index t = 0; t < words; ++t, queries += tile_queries, panel += panel_rows) {
    const Vector rows[block_vectors] = {Lanes::load(panel), Lanes::load(panel + width)};
#pragma GCC unroll 12
    for (int q = 0; q < block_queries; ++q) {
      const Vector query = Lanes::broadcast(queries[q]);
      sums[q][0] = Lanes::multiply_add(query, rows[0], sums[q][0]);
      sums[q][1] = Lanes::multiply_add(query, rows[1], sums[q][1]);
    }
  }
#pragma GCC unroll 12
  for (int q = 0; q < block_queries; ++q) {
    Lanes::store(sums[q][0], tile + q * panel_rows);
    Lanes::store(sums[q][1], tile + q * panel_rows + width);
  }
}

void score_tile(const float* queries, int count, const float* panel, Index words, float* tile) {
  for (int row = 0; row < panel_rows; row += block_rows)
    for (int q = 0; q < count; q += block_queries)
      score_block(queries + q, panel + row, words, tile + q * panel_rows + row);
}

}  // namespace
}  // namespace gemmine::cpu
