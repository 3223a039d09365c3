#pragma once

#include <vector>

#include "core/matrix.h"

namespace gemmine::cpu {

// A tile holds the scores of 12 queries with the 32 rows of a panel, query by query.
inline constexpr int tile_queries = 12;
inline constexpr int panel_rows = 32;

// Storage and multiplication of numbers in a scan. Numbers are in words of 32 bits; a word is one
// float32 or two consecutive bfloat16 of a row. Panels are [words][32], so each row is a lane;
// queries are [words][12].
struct ScanFormat {
  const char* name;      // of the numbers
  const char* features;  // instruction sets required besides the kernels', separated by spaces
  Index per_word;
  double unit_roundoff;  // relative error of each operation in score_tile, at most
  // Rounds a row to words and pads the last word with 0; returns Σ (row − words)².
  double (*pack_row)(const float* row, Index d, float* words);
  // tile = queries · panel, for at least `count` queries.
  void (*score_tile)(const float* queries, int count, const float* panel, Index words, float* tile);

  Index words(Index d) const { return (d + per_word - 1) / per_word; }
};

// The format of a first scan, and the format of the second scan of a query if the first one leaves
// too many rows undecided; they can be the same.
const ScanFormat& first_format();
const ScanFormat& finest_format();
// All formats of this CPU, for tests.
std::vector<const ScanFormat*> available_scan_formats();

#if defined(__x86_64__)
extern const ScanFormat avx512_bfloat16;
#endif

}  // namespace gemmine::cpu
