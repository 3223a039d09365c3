#pragma once

#include "backend/cpu/scan_format.h"
#include "backend/proof/candidates.h"

namespace gemmine::cpu {

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

// What turns an upper bound of a tile's query into the units that the thresholds of a panel's rows
// are in: upper·scale + shift, at least.
struct ColumnUnits {
  float scale[tile_queries];
  float shift[tile_queries];
};

// What bounds the scores of a panel's rows: with c the row as float32 and ĉ as words, a score lies
// in [a + down − E, a + up + E], E = factors.norm·norm + factors.residual·residual.
struct PanelBounds {
  float up[panel_rows];
  float down[panel_rows];
  float norm[panel_rows];      // of c and ĉ, at least
  float residual[panel_rows];  // ‖c − ĉ‖, at least
};

// What the queries of a tile multiply these by.
struct RowFactors {
  float norm[tile_queries];
  float residual[tile_queries];
};

// What depends on the instruction set. Scores of the scan may differ between them, within the
// bound; canonical sums have the same bits in all of them.
struct ScanKernels {
  const char* name;

  ScanFormat float32;
  // upper = (tile + up) + E, lower = (tile + down) − E
  void (*bound_tile)(const float* tile, const RowFactors& factors, int count,
                     const PanelBounds& bounds, float* upper, float* lower);
  // Writes an event for each query with rows that pass a threshold; returns how many. Tests are
  // written so that a NaN passes.
  int (*filter_tile)(const TileFilter& filter, const float* upper, const float* lower,
                     ScanEvent* events);

  // Bit i of rows[q] tells whether query q's score with row i may reach thresholds[i].
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
