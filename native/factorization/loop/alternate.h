#pragma once

#include <optional>

#include "factorization/graph_term.h"
#include "factorization/input.h"
#include "factorization/loop/checkpoint.h"
#include "factorization/loop/state.h"
#include "factorization/loop/volume.h"
#include "factorization/model.h"

namespace gemmine {

// No default values here: lib/ owns them, and the build rejects a field left out.
struct LoopOptions {
  Index max_iterations;
  double tolerance;
  Index inner_sweeps;
  bool extrapolated;          // see acceleration.h
  Penalties penalties;        // of the scaled factors
  double objective_exponent;  // objective of X = 2^objective_exponent · that of the scaled X
  std::uint64_t seed;
  GraphTerm* graph = nullptr;     // penalty on W in the objective
  bool keeps_columns = false;     // H stays as it is
  const char* phase = "iterate";  // in progress reports
  std::optional<VolumeOptions> volume = std::nullopt;
};

struct Alternated {
  double squared_error;  // ‖X − W Htᵀ‖² at the end
};

// The first state of a run. `expected_share`: the share of ‖X‖² that the start leaves, as
// estimated; 1 if unknown.
LoopState start_state(Index d, Index k, const Penalties& penalties, double expected_share);

// Factors of a resumed run, in addition to its state; null for a new run.
using Previous = const ResumedRun*;

// X [n×d] ≈ W Htᵀ, from `state` to the end. Both factors are tall, W [n×k] and Ht [d×k], so the
// same step code serves both.
Alternated alternate(const Input& input, const ModelRule& rule, const LoopOptions& options,
                     Checkpoints& checkpoints, Previous previous, LoopState& state,
                     BackendView<float> W, BackendView<float> Ht);

}  // namespace gemmine
