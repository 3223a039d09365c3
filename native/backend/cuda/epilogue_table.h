#pragma once

#include "backend/cuda/scan_table.h"

// Kernels of scans that do more with a tile than list its rows. Pointers in requests are device
// memory.
namespace gemmine::cuda {

// A query whose scores are a row of a tile: what its bounds are made of, as in AskedScan, and their
// relation to canonical scores: (lower + below)·unit <= score <= (upper + above)·unit.
struct TileLane {
  float scale;
  float norm;
  float residual;
  std::int32_t row;  // of the queries
  double above;
  double below;
  double unit;  // a power of two
};

// A tile of scores.
struct ScoreTile {
  const float* scores;  // [lanes×stride]
  std::int64_t stride;
  std::int32_t lanes;
  std::int32_t rows;
  std::int32_t first_row;  // a multiple of 32
  std::int32_t unused;
  const TileLane* lane;    // [lanes]
  const RowBound* bounds;  // [rows]
};

// Products in float32, each a sum in the order of columns by fused operations, so that its bits do
// not depend on the tile.
struct MultiplyRows {
  std::int64_t cols;
  const float* queries;  // [lanes×cols]
  const float* rows;     // [rows×cols]
  float* scores;         // [lanes×stride]
  std::int64_t stride;
  std::int32_t lane_count;
  std::int32_t row_count;
};

// Of proof/log_sum.h.
struct SumState {
  double largest;
  double sum;
  double weighted;
  double widest;
};

// Adds the exponentials of a tile to the sums of its queries: first those of 32 rows, then these
// sums one after the other, so that the tile's size does not matter.
struct SumExponentials {
  ScoreTile tile;
  const double* scales;         // [lanes]: an exponent is a score times the scale
  const std::uint32_t* filter;  // of first_row: bits of rows; null: all rows
  SumState* parts;              // [⌈rows / 32⌉×lanes]
  SumState* sums;               // [lanes]
};

// Highest bounds of a query with the rows of a document.
struct Highest {
  float upper;
  float lower;
};

// Raises the highest bounds of documents by the rows of a tile. Those of a document that begins in
// the tile are set.
struct RaiseHighest {
  ScoreTile tile;
  std::int32_t first_document;
  std::int32_t documents;
  const std::int32_t* starts;  // [all documents + 1]: their rows
  Highest* highest;            // [lanes×documents]
};

// One query of several rows, which are consecutive lanes.
struct AskedDocuments {
  std::int32_t first_lane;
  std::int32_t lanes;
  double unit;  // of the bounds in its list: a power of two
};

// Adds documents to the lists of queries. Bounds of a document are the sums of those of its lanes.
struct ListDocuments {
  std::int32_t asked_count;
  std::int32_t capacity;
  std::int32_t first_document;
  std::int32_t documents;
  const AskedDocuments* asked;
  const TileLane* lane;
  const std::int32_t* starts;
  const Highest* highest;  // [lanes×documents]
  ScanState* states;
  Found* lists;  // [asked×capacity]
};

// Adds the queries of a tile to the lists of its rows.
struct SelectColumns {
  ScoreTile tile;
  std::int32_t first_listed;  // row of the first list
  std::int32_t capacity;
  double unit;                 // of the bounds in the lists: a power of two
  const AskedScan* asked;      // [lists]: what their barred queries are
  const std::int32_t* barred;  // queries
  ScanState* states;           // [lists]
  Found* lists;                // [lists×capacity]
};

struct EpilogueTable {
  Code (*multiply_rows)(Queue* queue, const MultiplyRows* request);
  Code (*sum_exponentials)(Queue* queue, const SumExponentials* request);
  Code (*raise_highest)(Queue* queue, const RaiseHighest* request);
  Code (*list_documents)(Queue* queue, const ListDocuments* request);
  Code (*select_columns)(Queue* queue, const SelectColumns* request);
};

}  // namespace gemmine::cuda
