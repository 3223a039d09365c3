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

SingularTriplets singular_triplets(const Input& input, const SvdOptions& options);

// The triplets that a start needs.
SingularTriplets leading_triplets(const Input& input, Index rank, std::uint64_t seed);

}  // namespace gemmine
