#pragma once

#include <vector>

#include "core/job.h"
#include "factorization/factors.h"

namespace gemmine {

// How alike the components of several factorizations are. docs/math/select-rank.md.
struct Stability {
  std::vector<std::vector<Index>> members;  // of each factorization: its component in each cluster
  std::vector<double> silhouettes;          // [k], of each cluster: the mean of its members
  HostMatrix<double> centroids;             // [k×d], unit length, or 0 for components of zeros
};

// `components` [count·k × d]: the H of one factorization after the other. Clusters have one member
// of each; the alignment starts from the factorization `first`.
Stability stability_of(HostView<const float> components, Index count, Index first, const Job& job);

}  // namespace gemmine
