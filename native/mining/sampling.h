#pragma once

#include <vector>

#include "mining/judge.h"

namespace gemmine {

// Chooses a query's negatives from its survivors (best first): the first K, or K of the best M (of
// all for band) with the same probability for every K-subset (top1_random always includes the
// first). Besides the best survivors only those with the smallest keys are needed.
void sample_negatives(const MineOptions& options, Index query, std::vector<Negative>& survivors);

}  // namespace gemmine
