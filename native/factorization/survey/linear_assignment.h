#pragma once

#include <vector>

#include "core/matrix.h"

namespace gemmine {

// The permutation `to` of the columns that maximises Σ_i gain(i, to[i]), for a square matrix of
// finite gains, in O(k³). Kuhn (1955), "The Hungarian method for the assignment problem", by
// shortest augmenting paths: Jonker & Volgenant (1987), Computing 38.
std::vector<Index> best_assignment(HostView<const double> gain);

}  // namespace gemmine
