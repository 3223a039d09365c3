#pragma once

#include <vector>

#include "mining/judge.h"

namespace gemmine {

// Chooses a query's negatives from its survivors, best first: the first K, or K of the best M (of
// all for band) with the same chance for every K-subset (the first one fixed for top1_random). Of
// survivors beyond the best ones only those with the smallest keys need to be there.
void sample_negatives(const MineOptions& options, Index query, std::vector<Negative>& survivors);

}  // namespace gemmine
