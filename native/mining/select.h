#pragma once

#include <vector>

#include "mining/judge.h"

namespace gemmine {

// Chooses a query's negatives from its survivors (best first) by the rule of its sampling. Besides
// the best survivors only those with the smallest keys are needed.
void select_negatives(const MineOptions& options, Index query, std::vector<Negative>& survivors);

}  // namespace gemmine
