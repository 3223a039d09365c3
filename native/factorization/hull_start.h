#pragma once

#include <vector>

#include "factorization/fit.h"
#include "factorization/input.h"
#include "factorization/loop/alternate.h"

namespace gemmine {

// Fills Ht [d×k] with rows of X, or with the centres of clusters, and W [n×k] with codes that fit.
// `combinations` [n×k], unless its data is null, becomes the B with Ht = XᵀB. Returns the rows
// if they are the components.
std::vector<Index> start_from_rows(const Input& input, const FitOptions& options,
                                   const ModelRule& rule, BackendView<float> combinations,
                                   BackendView<float> W, BackendView<float> Ht);

// W = 1/k, then improved by the row step of the model in one read of X.
void code_from_middle(const Input& input, const ModelRule& rule, Index sweeps,
                      BackendView<const float> Ht, BackendView<float> W);

// The loop of a model without one: the exact codes for fixed rows of X.
Alternated code_rows_of_X(const Input& input, LoopState& state, BackendView<float> W,
                          BackendView<const float> Ht);

// A = Bᵀ in the caller's memory, if it is wanted.
void hand_back_combinations(Passes& backend, BackendView<const float> B, HostView<float> A);

// Whether codes are those of rows of X or of their hull, so that H takes the scale.
inline bool is_hull(const ModelRule& rule) {
  return rule.components != Components::any || rule.sums_rows();
}

// The volume of the options, in units of the mean squared length of the rows of X.
std::optional<VolumeOptions> volume_of(const Input& input, const HullOptions& options);

// The rule of the options, whose rows of W may sum to less than 1.
ModelRule rule_of(const FitOptions& options);
ModelRule rule_of(const TransformOptions& options);

}  // namespace gemmine
