#pragma once

#include "backend/cpu/scan_format.h"
#include "backend/proof/candidates.h"

namespace gemmine::cpu {

// Thresholds of a tile's queries; fields as in ScanThresholds.
struct TileFilter {
  int count;               // queries in the tile
  bool used[level_count];  // levels in use by any query; others are not read
  bool rejected_used;
  float admissible[tile_queries];
  float rejected[tile_queries];
  float above[level_count][tile_queries];
  float maybe[level_count][tile_queries];
};

// Conversion of an upper bound of a tile's query to the units of the thresholds of a panel's rows:
// the converted bound is at least upper·scale + shift.
struct ColumnUnits {
  float scale[tile_queries];
  float shift[tile_queries];
};

// Terms of the bounds of a panel's rows: with c the row as float32 and ĉ the row as words, a score
// lies in [a + down − E, a + up + E], E = factors.norm·norm + factors.residual·residual.
struct PanelBounds {
  float up[panel_rows];
  float down[panel_rows];
  float norm[panel_rows];      // at least ‖c‖ and ‖ĉ‖
  float residual[panel_rows];  // at least ‖c − ĉ‖
};

// Factors of `norm` and `residual`, for each query of a tile.
struct RowFactors {
  float norm[tile_queries];
  float residual[tile_queries];
};

// Functions that depend on the instruction set. Scores of the scan may differ between instruction
// sets, within the bound; canonical sums have the same bits in all of them.
struct ScanKernels {
  const char* name;

  ScanFormat float32;
  // upper = (tile + up) + E, lower = (tile + down) − E
  void (*bound_tile)(const float* tile, const RowFactors& factors, int count,
                     const PanelBounds& bounds, float* upper, float* lower);
  // Writes an event for each query with rows that pass a threshold; returns how many. A NaN must
  // pass every test.
  int (*filter_tile)(const TileFilter& filter, const float* upper, const float* lower,
                     ScanEvent* events);

  // Sets bit i of rows[q] if query q's score with row i may reach thresholds[i].
  void (*filter_columns)(const float* upper, const ColumnUnits& units, int count,
                         const float* thresholds, std::uint32_t* rows);

  // Sums over t mod 8 in float64, added as ((s0+s1)+(s2+s3))+((s4+s5)+(s6+s7)), for four rows at a
  // time. `query` holds float32 numbers, so that products are exact and may be fused with their
  // sum, and is padded with zeros to a multiple of 8.
  void (*dot_rows)(const double* query, const float* const rows[4], Index d, double sums[4]);
  void (*distance_rows)(const double* query, const float* const rows[4], Index d, double sums[4]);

  // out = (row·factor − centre)·scale, rounded once to float32; returns Σ out².
  double (*centre_row)(const float* row, double factor, const float* centre, double scale, Index d,
                       float* out);
};

// The kernels of the widest instruction set of this CPU.
const ScanKernels& scan_kernels();
// All kernels of this CPU, for tests.
std::vector<const ScanKernels*> available_scan_kernels();

extern const ScanKernels baseline_scan_kernels;
#if defined(__x86_64__)
extern const ScanKernels avx2_scan_kernels;
extern const ScanKernels avx512_scan_kernels;
#endif

}  // namespace gemmine::cpu
