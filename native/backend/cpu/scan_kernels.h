#pragma once

#include "backend/candidates.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// A tile is the scores of 12 queries with the 32 rows of a panel, query by query; a panel is
// [d][32], so that a row is a lane; queries come as [d][12].
inline constexpr int tile_queries = 12;
inline constexpr int panel_rows = 32;

// Thresholds of a tile's queries, as in ScanThresholds.
struct TileFilter {
  int count;               // queries in the tile
  bool used[level_count];  // levels that any query asked about; others are not looked at
  bool rejected_used;
  float admissible[tile_queries];
  float rejected[tile_queries];
  float above[level_count][tile_queries];
  float maybe[level_count][tile_queries];
};

// Bounds of a panel's rows: the score is in [a + down − alpha·r, a + up + alpha·r].
struct PanelBounds {
  float up[panel_rows];
  float down[panel_rows];
  float r[panel_rows];
};

// What depends on the instruction set. Scores of the scan may differ between them, within the
// bound; canonical sums have the same bits in all of them.
struct ScanKernels {
  const char* name;

  // tile = queries · panel; `count` queries at least are computed.
  void (*score_tile)(const float* queries, int count, const float* panel, Index d, float* tile);
  // upper = (tile + up) + alpha·r, lower = (tile + down) − alpha·r
  void (*bound_tile)(const float* tile, const float* alphas, int count, const PanelBounds& bounds,
                     float* upper, float* lower);
  // Writes an event for each query with rows that pass a threshold; returns how many. Tests are
  // written so that a NaN passes.
  int (*filter_tile)(const TileFilter& filter, const float* upper, const float* lower,
                     ScanEvent* events);

  // Sums over t mod 8 in float64, added as ((s0+s1)+(s2+s3))+((s4+s5)+(s6+s7)), for four rows at a
  // time. `query` is padded with zeros to a multiple of 8.
  void (*dot_rows)(const double* query, const float* const rows[4], Index d, double sums[4]);
  void (*distance_rows)(const double* query, const float* const rows[4], Index d, double sums[4]);

  // out = (row·factor − centre)·scale, rounded once to float32; returns Σ out².
  double (*centre_row)(const float* row, double factor, const float* centre, double scale, Index d,
                       float* out);
};

// The widest that this CPU has.
const ScanKernels& scan_kernels();
// All that this CPU has, for tests.
std::vector<const ScanKernels*> available_scan_kernels();

extern const ScanKernels baseline_scan_kernels;
#if defined(__x86_64__)
extern const ScanKernels avx2_scan_kernels;
extern const ScanKernels avx512_scan_kernels;
#endif

}  // namespace gemmine::cpu
