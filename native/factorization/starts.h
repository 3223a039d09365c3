#pragma once

#include "factorization/factors.h"
#include "factorization/input.h"

namespace gemmine {

// Fills W [n×k] and Ht [d×k] for the scaled X, in the scaled factors' units, without zeros that the
// solver could not leave. Returns the share of
// ‖X‖² that the start leaves as far as it knows, 1 when it knows nothing.
double start_factors(const Input& input, const FitOptions& options, BackendView<float> W,
                     BackendView<float> Ht);

double start_random(const Input&, const FitOptions&, BackendView<float> W, BackendView<float> Ht);
double start_kmeans(const Input&, const FitOptions&, BackendView<float> W, BackendView<float> Ht);
double start_svd(const Input&, const FitOptions&, BackendView<float> W, BackendView<float> Ht);
double start_nndsvd(const Input&, const FitOptions&, BackendView<float> W, BackendView<float> Ht);
// H with orthonormal rows from `svd` or `random`, and the W that fits it.
double start_orthonormal(const Input&, const FitOptions&, BackendView<float> W,
                         BackendView<float> Ht);

// The caller's factors, checked and scaled; a missing one is the answer of the model's step to the
// other.
void start_given(const Input&, const FitOptions&, const Exponents&, const Penalties&,
                 BackendView<float> W, BackendView<float> Ht);

// Stretches each component, W_j·a and H_j/a, to where the penalties on both factors sum to the
// least. The product stays, and alternating steps, which find this balance slowly, begin with it.
void balance(const Input& input, const Penalties& penalties, BackendView<float> W,
             BackendView<float> Ht);

}  // namespace gemmine
