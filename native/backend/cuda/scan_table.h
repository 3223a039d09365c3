#pragma once

#include "backend/cuda/abi.h"

// Kernels of scans. Pointers in requests are device memory; matrices are row-major, strides are in
// elements.
namespace gemmine::cuda {

// Bounds of one row: with c the row as float32 and ĉ the row as float16, a score lies in
// [a·scale + down − E, a·scale + up + E], E = factors.norm·norm + factors.residual·residual.
struct RowBound {
  float up;
  float down;
  float norm;      // at least ‖c‖ and ‖ĉ‖
  float residual;  // at least ‖c − ĉ‖
  float scale;     // a power of two: c is about scale times the row that is stored
};

// Rows as they are used by scans: (row·factor − centre)·2^exponent, rounded to float32; unless
// `values` is given, then times a power of two of its own as float16.
struct PrepareRows {
  std::int64_t rows, cols;
  const float* from;
  std::int64_t stride;
  const float* centre;  // [cols]
  const double* norms;  // [rows]: factor is 1/norm, or 0 for a zero row; null: factor is 1
  std::int32_t distance;
  std::int32_t exponent;
  double squared_norm_error;  // factors of scan_bounds.h
  double underflow;
  std::uint16_t* halves;  // [rows×half_stride], zero beyond cols
  std::int64_t half_stride;
  RowBound* bounds;  // [rows]
  float* values;     // [rows×cols], or null; without halves
};

// Canonical norms √(x·x).
struct MeasureRows {
  std::int64_t rows, cols;
  const float* from;
  std::int64_t stride;
  double* norms;  // [rows]
};

inline constexpr int scan_levels = 3;
inline constexpr int scan_classed_levels = 2;  // the first levels

// A row that a question of a scan is to look at.
struct Found {
  float upper;
  float lower;
  std::int32_t row;
  std::uint32_t flags;
};

// Flags of a row; above and straddling are those of level 0, further levels have the next bits.
enum FoundFlag : std::uint32_t {
  found_admissible = 1,         // reaches the threshold of the admissible rows
  found_admissible_counts = 2,  // certainly below the ceiling, and has no class
  found_rejected = 4,
  found_rejected_counts = 8,  // certainly rejected, and has no class
  found_kept = 16,            // needed whatever the thresholds become
  found_above = 32,
  found_straddling = 256,
};

// What one question asks, in the units of its query's scores.
struct AskedScan {
  std::int32_t lane;  // row of the scores
  std::int32_t group;
  std::int32_t ranked;     // has a depth
  std::int32_t drawn;      // all rows of the band are wanted
  std::int32_t rejecting;  // has a rejected_depth
  std::int32_t floored;
  std::int32_t first_barred, end_barred;  // places in barred
  float floor;  // rows with upper bounds below are in no list of admissible rows
  float above[scan_levels];
  float maybe[scan_levels];
  float scale;  // of the query: a power of two
  float norm;   // factors of a row's bound
  float residual;
  std::int32_t depth, rejected_depth;
  double spread;        // twice the error that upper and lower bounds do not include
  std::int64_t filter;  // place of its first word in filters; -1: all rows
};

// State of one question on the device.
struct ScanState {
  float admissible;  // thresholds, which only rise
  float rejected;
  std::int32_t count;   // of the list; more than its capacity: rows are missing
  std::int32_t looked;  // count after the thresholds were raised last
  // Rows that are certainly above each level; of the first two levels, those without a class.
  std::int32_t above[scan_levels];
  std::int32_t unused;
};

// Looks at a tile of scores for all questions of a batch.
struct SelectRows {
  const float* scores;  // [lanes×stride]
  std::int64_t stride;
  std::int32_t rows;
  std::int32_t first_row;  // a multiple of 32
  std::int32_t asked_count;
  std::int32_t capacity;
  std::int32_t groups;  // 0: off, 1: different, 2: same
  std::int32_t unused;
  const AskedScan* asked;
  ScanState* states;
  const RowBound* bounds;          // [rows]
  const std::int32_t* row_groups;  // [rows], null when groups is off
  const std::uint32_t* shared;     // [rows / 32], bits of rows with a class; may be null
  const std::int32_t* barred;
  const std::uint32_t* filters;  // of first_row: bits of rows; may be null if no question has one
  Found* lists;                  // [asked×capacity]
};

// Raises the thresholds of each question and drops what is below.
struct TightenLists {
  std::int32_t asked_count;
  std::int32_t capacity;
  std::int32_t growth;  // lists that have grown by less since the last time stay as they are
  std::int32_t unused;
  const AskedScan* asked;
  ScanState* states;
  Found* lists;
};

// Canonical scores of pairs of rows.
struct ScorePairs {
  std::int64_t count, cols;
  const float* queries;
  std::int64_t query_stride;
  const float* rows;
  std::int64_t row_stride;
  const double* query_norms;  // null unless the metric has unit rows
  const double* row_norms;
  std::int64_t squares;       // 1: the sum is that of squared differences
  const std::int32_t* pairs;  // [count×2]: places in queries and in rows
  double* scores;             // [count]
};

// Lists one after the other, without what is beyond their ends, and the pairs to score.
struct PackLists {
  std::int32_t asked_count;
  std::int32_t capacity;
  const AskedScan* asked;
  const Found* lists;
  const std::int64_t* starts;  // [asked + 1]
  Found* packed;
  std::int32_t* pairs;  // [packed×2]: lane and row; may be null
};

struct ScanTable {
  Code (*measure_rows)(Queue* queue, const MeasureRows* request);
  Code (*prepare_rows)(Queue* queue, const PrepareRows* request);
  Code (*select_rows)(Queue* queue, const SelectRows* request);
  Code (*tighten_lists)(Queue* queue, const TightenLists* request);
  Code (*score_pairs)(Queue* queue, const ScorePairs* request);
  Code (*pack_lists)(Queue* queue, const PackLists* request);
};

}  // namespace gemmine::cuda
