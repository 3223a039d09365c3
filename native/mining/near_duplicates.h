#pragma once

#include "mining/range_search.h"

namespace gemmine {

// The pairs of rows i < j that score at least the threshold, by i: best first, equal scores by
// lower j. One self-join finds them where a device may answer it with half the tiles, else blocks
// do.
FoundRows near_duplicates(Scans& scans, const RowSource& rows, Metric metric, double threshold,
                          const Job& job);

// The same, searching each block of `step` rows among its own rows and those after it.
FoundRows near_duplicates_in_blocks(Scans& scans, const RowSource& rows, Metric metric,
                                    double threshold, Index step, const Job& job);

}  // namespace gemmine
