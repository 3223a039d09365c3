#pragma once

#include <algorithm>

#include "core/matrix.h"

namespace gemmine::cuda {

// Memory of scans, in bytes.
struct ScanSizes {
  Index kept;    // of a corpus, at most
  Index scores;  // a tile, which should stay in the second-level cache
  Index lists;   // of all questions of a batch
  Index rows;    // on their way to the device, twice; and of pairs that are scored
  Index lanes;   // queries of a batch, at most
};

// Of the largest GPUs; small memories get less. Everything but the corpus, packed lists and queries
// included, needs up to a quarter of what is free.
inline constexpr Index most_scores = Index{32} << 20;
inline constexpr Index most_lists = Index{512} << 20;
inline constexpr Index most_rows = Index{64} << 20;
inline constexpr Index most_lanes = 1024;

inline ScanSizes scan_sizes(Index free) {
  return {.kept = free - free / 4,
          .scores = std::min(most_scores, free / 32),
          .lists = std::min(most_lists, free / 16),
          .rows = std::min(most_rows, free / 64),
          .lanes = most_lanes};
}

}  // namespace gemmine::cuda
