#pragma once

#include <algorithm>

#include "core/matrix.h"

namespace gemmine::cuda {

// Memory that scans use beside what they keep of a corpus, in bytes.
struct ScanSizes {
  Index scores;  // a tile, which should stay in the second-level cache
  Index lists;   // of all questions of a batch
  Index rows;    // on their way to the device, twice; and of pairs that are scored
  Index lanes;   // queries of a batch, at most
};

// Of the largest GPUs; small memories get less.
inline constexpr Index most_scores = Index{32} << 20;
inline constexpr Index most_lists = Index{512} << 20;
inline constexpr Index most_rows = Index{64} << 20;
inline constexpr Index most_lanes = 1024;

inline ScanSizes scan_sizes(Index free) {
  return {.scores = std::min(most_scores, free / 32),
          .lists = std::min(most_lists, free / 16),
          .rows = std::min(most_rows, free / 64),
          .lanes = most_lanes};
}

// A corpus may take the rest: scores, lists, packed lists, rows and queries need up to a quarter.
inline Index kept_at_most(Index free) { return free - free / 4; }

}  // namespace gemmine::cuda
