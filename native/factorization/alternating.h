#pragma once

#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/rules.h"

namespace gemmine {

// No default values here: lib/ owns them, and the build rejects a field left out.
struct AlternatingOptions {
  Index max_iterations;
  double tolerance;
  Index inner_sweeps;
  Penalties penalties;     // of the scaled factors
  int objective_exponent;  // the objective of X is 2^this times that of the scaled X
  double expected_share;   // of ‖X‖² that the start leaves, as far as it knows; 1: nothing known
  std::uint64_t seed;
};

struct Alternated {
  std::vector<double> objective;  // of the scaled X; before the first and after each iteration
  bool converged;
  Index worked;                  // iterations computed; later ones repeat the last objective
  double squared_error;          // ‖X − W Htᵀ‖² at the end
  std::vector<double> row_gram;  // WᵀW [k×k] after the last iteration; empty without any
};

// X [n×d] ≈ W Htᵀ. Both factors are tall, W [n×k] and Ht [d×k], so one step fits either side.
Alternated alternate(const Input& input, const AlternatingRule& rule,
                     const AlternatingOptions& options, BackendView<float> W,
                     BackendView<float> Ht);

// l1·Σ|·| + l2·Σ(·)² of a factor, in row order.
double penalty_of(HostView<const float> factor, double l1, double l2);
double penalty_of(Backend& backend, BackendView<float> factor, double l1, double l2);

}  // namespace gemmine
