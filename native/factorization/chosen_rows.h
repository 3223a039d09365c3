#pragma once

#include <cstdint>
#include <vector>

#include "factorization/input.h"

namespace gemmine {

// Choices of k rows of X, k <= n.

// The successive projection algorithm: the longest row, then again and again the one that is
// farthest from the span of those before it; ties go to the lower row. docs/math/separable-nmf.md.
// `normalised`: rows are compared after division by their sums. Throws InvalidElement for `rank` if
// fewer than k rows are independent.
std::vector<Index> successive_projections(const Input& input, Index k, bool normalised);

// FurthestSum of Mørup & Hansen (2012), section 3.2: from a row that is drawn, the row with the
// largest sum of distances to the chosen ones is added, then ten times added after the first one
// was dropped. Reads X k + 10 times.
std::vector<Index> furthest_rows(const Input& input, Index k, std::uint64_t seed);

// k different rows, drawn.
std::vector<Index> drawn_rows(Index n, Index k, std::uint64_t seed);

// These rows as columns of the scaled Ht [d×k].
void copy_rows_to_columns(const Input& input, const std::vector<Index>& rows,
                          BackendView<float> Ht);

}  // namespace gemmine
