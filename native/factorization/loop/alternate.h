#pragma once

#include "factorization/graph_term.h"
#include "factorization/input.h"
#include "factorization/loop/checkpoint.h"
#include "factorization/loop/state.h"
#include "factorization/model.h"

namespace gemmine {

// No default values here: lib/ owns them, and the build rejects a field left out.
struct LoopOptions {
  Index max_iterations;
  double tolerance;
  Index inner_sweeps;
  bool extrapolated;          // see acceleration.h
  Penalties penalties;        // of the scaled factors
  double objective_exponent;  // the objective of X is 2^this times that of the scaled X
  std::uint64_t seed;
  GraphTerm* graph = nullptr;  // of W, in the objective
};

struct Alternated {
  double squared_error;  // ‖X − W Htᵀ‖² at the end
};

// What a run begins with. `expected_share` of ‖X‖² is what the start leaves, as far as it knows; 1:
// nothing known.
LoopState start_state(Index d, Index k, const Penalties& penalties, double expected_share);

// What a run that goes on starts from, beside its state; null where a run begins.
using Previous = const ResumedRun*;

// X [n×d] ≈ W Htᵀ, from `state` on to the end. Both factors are tall, W [n×k] and Ht [d×k], so one
// step fits either side.
Alternated alternate(const Input& input, const ModelRule& rule, const LoopOptions& options,
                     Checkpoints& checkpoints, Previous previous, LoopState& state,
                     BackendView<float> W, BackendView<float> Ht);

}  // namespace gemmine
