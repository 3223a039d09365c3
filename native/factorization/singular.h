#pragma once

#include "factorization/factors.h"
#include "factorization/input.h"

namespace gemmine {

// X ≈ U diag(s) Vᵀ of the scaled X.
struct SingularTriplets {
  BackendMatrix U;        // [n×r], orthonormal columns
  std::vector<double> s;  // [r], descending
  BackendMatrix V;        // [d×r], orthonormal columns; the largest entry of each is positive
  Index certain;          // further columns of U only complete the basis
};

// With `further` triplets behind those of options.rank, of which at most options.oversamples exist;
// they are less accurate.
SingularTriplets singular_triplets(const Input& input, const SvdOptions& options,
                                   Index further = 0);

// The triplets that a start needs.
SingularTriplets leading_triplets(const Input& input, Index rank, std::uint64_t seed,
                                  Index further = 0);

}  // namespace gemmine
