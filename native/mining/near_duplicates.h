#pragma once

#include "mining/range_search.h"

namespace gemmine {

// The pairs of rows i < j that score at least the threshold, by i: best first, equal scores by
// lower j. Rows are searched in blocks, each among its own rows and those after it, so about half
// of the products are formed; answers do not depend on the blocks.
FoundRows near_duplicates(Scans& scans, const RowSource& rows, Metric metric, double threshold,
                          const Job& job);

}  // namespace gemmine
