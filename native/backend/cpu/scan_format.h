#pragma once

#include <vector>

#include "core/matrix.h"

namespace gemmine::cpu {

// A tile is the scores of 12 queries with the 32 rows of a panel, query by query.
inline constexpr int tile_queries = 12;
inline constexpr int panel_rows = 32;

// How a scan holds and multiplies numbers: in words of 32 bits, each a float32 or a pair of
// bfloat16 that follow each other in a row. Panels are [words][32], so that a row is a lane;
// queries [words][12].
struct ScanFormat {
  const char* name;      // of the numbers
  const char* features;  // instruction sets that it needs beside the kernels', separated by spaces
  Index per_word;
  double unit_roundoff;  // relative error of each operation in score_tile, at most
  // Rounds a row to words, the last of them filled up with 0; returns Σ (row − words)².
  double (*pack_row)(const float* row, Index d, float* words);
  // tile = queries · panel; `count` queries at least are computed.
  void (*score_tile)(const float* queries, int count, const float* panel, Index words, float* tile);

  Index words(Index d) const { return (d + per_word - 1) / per_word; }
};

// The format for a first scan, and the one that a query is scanned in when the first leaves too
// many rows undecided; they can be the same.
const ScanFormat& first_format();
const ScanFormat& finest_format();
// All that this CPU has, for tests.
std::vector<const ScanFormat*> available_scan_formats();

#if defined(__x86_64__)
extern const ScanFormat avx512_bfloat16;
#endif

}  // namespace gemmine::cpu
